-- Which of the firm's rules fit which lines, whoever decided the line in the end.
--
-- Texts are compared by their words, whatever the case, accents and spaces, as the model compares them.
--
-- grain: one row per document line and rule that fits it
-- key: document_type, document_id, line_id, rule_id
-- owner: team:accounting
-- follows: document_id
with

lines as (
    select
        document_lines.document_type, document_lines.document_id, document_lines.line_id,
        -- Worked out once for a line, and for none while no rule looks at texts.
        if(
            exists (select 1 from categorized.rules where description_contains is not null),
            plain_text(document_lines.description),
            null
        ) as words,
        document_lines.department_id, document_lines.amount, document_lines.date,
        coalesce(parties.merged_party_id, document_lines.party_id) as party_id
    from categorized.document_lines as document_lines
    left join categorized.parties as parties using (party_id)
    where document_lines.is_booked
),

rules as (
    select
        rules.* replace (coalesce(parties.merged_party_id, rules.party_id) as party_id),
        plain_text(rules.description_contains) as words
    from categorized.rules as rules
    left join categorized.parties as parties using (party_id)
),

-- Rules for a party are joined by the party: only the others are compared with every line.
candidates as (
    select lines.*, rules.rule_id
    from lines
    inner join rules using (party_id)
    union all
    select lines.*, rules.rule_id
    from lines
    cross join rules
    where rules.party_id is null
),

fitting as (
    select candidates.*, rules.position, rules.account_id
    from candidates
    inner join rules using (rule_id)
    where coalesce(rules.document_type = candidates.document_type, true)
        and (rules.description_contains is null
            -- Words that nothing is left of are in no text.
            or (rules.words <> '' and contains(candidates.words, rules.words)))
        and (rules.department_id is null or rules.department_id = candidates.department_id)
        and coalesce(candidates.amount >= rules.amount_from, true)
        and coalesce(candidates.amount <= rules.amount_to, true)
        and coalesce(candidates.date >= rules.valid_from, true)
        and coalesce(candidates.date <= rules.valid_to, true)
)

select
    document_type,    -- bill, vendor_credit, invoice or credit_memo.
    document_id,      -- BILL's id of the document.
    line_id,          -- BILL's id of the line, else its position.
    rule_id,          -- The rule that fits.
    account_id,       -- Where it sends the line.
    row_number() over (
        partition by document_type, document_id, line_id order by position
    ) = 1 as is_first -- No rule before it fits.
from fitting
