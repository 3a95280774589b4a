-- The firm's rules in force, in the order in which they are tried, with the lines they decide.
--
-- grain: one row per rule
-- key: rule_id
-- owner: team:accounting
with

hits as (
    select
        matches.rule_id,
        count(*) as line_count_fitting,
        count(*) filter (where lines.category_source = 'rule' and lines.rule_id = matches.rule_id)
            as line_count_decided,
        max(lines.date) as last_date
    from categorized.rule_matches as matches
    inner join categorized.lines as lines using (document_type, document_id, line_id)
    group by matches.rule_id
)

select
    rules.rule_id,                                                -- Name of the rule.
    rules.position,                                               -- The first rule that fits a line decides it.
    rules.priority,                                               -- Lower is tried first.
    rules.document_type,                                          -- Only this kind of document; null: any.
    rules.party_id,                                               -- Only this vendor or customer, under any of its names; null: any.
    parties.party,                                                -- Its name.
    rules.description_contains,                                   -- Only lines whose text contains this; null: any.
    rules.department_id,                                          -- Only this department; null: any.
    departments.dimension_name as department,                     -- Its name.
    rules.amount_from,                                            -- Only amounts from this one on; null: any.
    rules.amount_to,                                              -- Only amounts up to this one; null: any.
    rules.valid_from,                                             -- Only documents of this day or later; null: any.
    rules.valid_to,                                               -- Only documents of this day or earlier; null: any.
    rules.account_id,                                             -- Where a line goes.
    accounts.account_code,                                        -- Its number, if it has one.
    accounts.account_name,                                        -- Its name.
    coalesce(hits.line_count_decided, 0) as line_count_decided,   -- Lines it decides: nobody coded them, and no rule before it fits.
    coalesce(hits.line_count_fitting, 0) as line_count_fitting,   -- Lines it would decide if nothing came before it.
    hits.last_date,                                               -- Day of the newest line it fits.
    rules.reason,                                                 -- Why the firm made it.
    rules.decided_at,                                             -- When it was last changed.
    rules.decided_by                                              -- By whom.
from categorized.rules as rules
left join hits using (rule_id)
left join ledger.parties as parties using (party_id)
left join ledger.accounts as accounts on accounts.account_id = rules.account_id
left join ledger.dimensions as departments on departments.dimension_id = rules.department_id
