-- Every document line in the parts that are booked: one, unless a person split it.
--
-- grain: one row per document line and part
-- key: document_type, document_id, line_id, part_no
-- owner: team:accounting
with

-- The parts' positions and values are unnested side by side, so a line gives as many rows as parts.
parts as (
    select *, null as part, 1 as part_no, 1 as part_count
    from categorized.lines
    where parts is null
    union all by name
    select
        *, unnest(parts) as part, unnest(range(1, len(parts) + 1))::integer as part_no,
        len(parts)::integer as part_count
    from categorized.lines
    where parts is not null
)

select
    document_type,                   -- bill, vendor_credit, invoice or credit_memo.
    document_id,                     -- BILL's id of the document.
    line_id,                         -- BILL's id of the line, else its position.
    part_no,                         -- Number of the part, from 1.
    part_count,                      -- Parts of the line; 1 when it is whole.
    if(part_no = 1, line_id, line_id || ':part-' || part_no) as line_key,  -- Tells a document's parts apart; the first keeps the line's id.
    line_no,                         -- Position in the document, from 1.
    is_booked,                       -- The document belongs in the books.
    date,                            -- Day the document counts for.
    party_id,                        -- Vendor or customer.
    party,                           -- Its name as BILL last reported it.
    coalesce(part.description, description) as description,  -- Text of the part, else of the line.
    coalesce(part.amount, amount) as amount,                 -- Of the part; negative lines are negative.
    currency,                        -- Currency of the amount.
    coalesce(part.class_id, class_id) as class_id,                 -- Accounting class.
    coalesce(part.department_id, department_id) as department_id,  -- Department.
    coalesce(part.location_id, location_id) as location_id,        -- Location.
    job_id,                          -- Job.
    coalesce(part.account_id, account_id) as account_id,           -- The account that counts.
    category_source,                 -- bill, person, rule, model or default.
    confidence,                      -- Probability in 0–1 that the account is right.
    needs_review,                    -- A person should look at it.
    model_version,                   -- Model that decided, if one did.
    reason,                          -- Why this account, in words.
    alternatives,                    -- The categorizer's next best accounts, as JSON.
    rule_id,                         -- The rule that decided, if one did.
    is_sampled,                      -- One of the lines booked by the model that a person should check.
    bill_account_id,                 -- Account chosen in BILL, on the line or by its item.
    features_hash                    -- Changes when what the categorizer looks at changes.
from parts
