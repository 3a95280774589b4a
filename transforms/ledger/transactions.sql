-- Every booked line of money spent or earned, with its category and who chose it.
--
-- A line that a person split counts as its parts, which add up to it.
--
-- grain: one row per booked document line, or part of one that was split
-- key: transaction_id
-- owner: team:accounting
-- follows: document_id
with

suggestions as (
    select
        document_type, document_id, line_id,
        unnest(from_json(alternatives, '[{"account_id": "VARCHAR", "confidence": "DOUBLE"}]')) as other,
        unnest(range(json_array_length(alternatives)::bigint)) as i
    from categorized.lines
    where alternatives is not null
),

alternatives as (
    select
        suggestions.document_type, suggestions.document_id, suggestions.line_id,
        to_json(list({
            'account_id': other.account_id, 'account_code': accounts.account_code,
            'account_name': accounts.account_name, 'confidence': other.confidence
        } order by i)) as alternatives
    from suggestions
    left join ledger.accounts as accounts on accounts.account_id = other.account_id
    group by suggestions.document_type, suggestions.document_id, suggestions.line_id
)

select
    lines.document_type || ':' || lines.document_id || ':' || lines.line_key as transaction_id,  -- Document, line and part.
    lines.document_id,                             -- BILL's id of the document.
    lines.document_type,                           -- bill, vendor_credit, invoice or credit_memo.
    lines.line_id,                                 -- BILL's id of the line, else its position.
    lines.part_no,                                 -- Number of the part, from 1.
    lines.part_count,                              -- Parts that a person split the line into; 1 when whole.
    lines.date,                                    -- Day the document counts for.
    lines.party_id,                                -- Vendor or customer.
    coalesce(parties.party, lines.party) as party, -- Its name as BILL last reported it.
    lines.description,                             -- Text of the line, else of the document.
    lines.amount,                                  -- Of the line or its part; negative lines are negative.
    lines.currency,                                -- Currency of the amount.
    lines.account_id,                              -- The account that counts.
    accounts.account_code,                         -- Its number, if it has one.
    accounts.account_name,                         -- Its name.
    lines.category_source,                         -- bill, person, rule, model or default.
    lines.confidence,                              -- Probability in 0–1 that the account is right.
    lines.model_version,                           -- Model that decided, if one did.
    lines.needs_review,                            -- A person should look at it.
    lines.reason,                                  -- Why this account, in words.
    alternatives.alternatives,                     -- The next best accounts with their names, as JSON; of a line to review, the suggestion first.
    lines.rule_id,                                 -- The rule that decided, if one did.
    lines.is_sampled,                              -- One in 25 of the lines booked by the model, to be checked by a person while it is new.
    lines.decided_at,                              -- When the account was decided (UTC); null when BILL coded it.
    lines.class_id,                                -- Accounting class.
    lines.department_id,                           -- Department.
    lines.location_id,                             -- Location.
    lines.job_id,                                  -- Job.
    lines.bill_account_id,                         -- Account chosen in BILL, if any.
    lines.features_hash,                           -- Changes when what the categorizer looks at changes.
    documents.updated_at                           -- BILL's time of last change of the document.
from categorized.parts as lines
inner join ledger.documents as documents using (document_type, document_id)
left join ledger.parties as parties on parties.party_id = lines.party_id
left join ledger.accounts as accounts on accounts.account_id = lines.account_id
left join alternatives using (document_type, document_id, line_id)
where lines.is_booked
