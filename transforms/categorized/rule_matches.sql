-- Lines that a firm's rule decides: the first rule that fits, where it says something new.
--
-- grain: one row per document line
-- key: document_type, document_id, line_id
-- owner: team:accounting
with

-- The last row of a rule counts; a withdrawn rule decides nothing more.
rules as (
    select *
    from decisions.rules
    where decided_at <= getvariable('as_of')
    qualify row_number() over (partition by rule_id order by decided_at desc, rowid desc) = 1
),

-- One row per line: the rule with the lowest number that fits.
first_rules as (
    select
        lines.document_type, lines.document_id, lines.line_id, lines.features_hash,
        lines.category_source, lines.account_id as standing_account_id,
        rules.rule_id, rules.account_id, rules.reason
    from categorized.lines as lines
    inner join rules
        on not rules.withdrawn
        and coalesce(rules.document_type = lines.document_type, true)
        and coalesce(rules.party_id = lines.party_id, rules.party_id is null)
        and coalesce(
            contains(lower(lines.description), lower(rules.description_contains)),
            rules.description_contains is null
        )
        and coalesce(lines.amount >= rules.amount_from, true)
        and coalesce(lines.amount <= rules.amount_to, true)
    where lines.is_booked and lines.category_source in ('default', 'model', 'rule')
    qualify row_number() over (
        partition by lines.document_type, lines.document_id, lines.line_id
        order by rules.priority, rules.rule_id
    ) = 1
)

select
    document_type,    -- bill, vendor_credit, invoice or credit_memo.
    document_id,      -- BILL's id of the document.
    line_id,          -- BILL's id of the line, else its position.
    features_hash,    -- To be stored with the decision.
    rule_id,          -- The rule that fits.
    account_id,       -- The account it says.
    reason            -- Why the firm made the rule.
from first_rules
where category_source <> 'rule' or standing_account_id <> account_id
