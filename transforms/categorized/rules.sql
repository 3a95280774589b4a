-- The firm's rules in force now, in the order in which they are tried.
--
-- grain: one row per rule
-- key: rule_id
-- owner: team:accounting
with

known as (
    select *, min(rowid) over (partition by rule_id) as first_row, rowid as decision_no
    from decisions.rules
    where decided_at <= getvariable('as_of')
),

-- The last row of a rule counts; a removed rule decides nothing, and nothing it once decided stands.
active as (
    select *
    from known
    qualify row_number() over (partition by rule_id order by decided_at desc, decision_no desc) = 1
)

select
    rule_id,                                                                  -- Name of the rule.
    (row_number() over (order by priority, first_row))::integer as position,  -- The first rule that fits a line decides it.
    priority,                                                                 -- Lower is tried first; rules of one priority in the order they were made.
    document_type,                                                            -- Only this kind of document; null: any.
    party_id,                                                                 -- Only this vendor or customer, under any of its names; null: any.
    description_contains,                                                     -- Only lines whose text contains this, whatever the case; null: any.
    department_id,                                                            -- Only this department; null: any.
    amount_from,                                                              -- Only amounts from this one on; null: any.
    amount_to,                                                                -- Only amounts up to this one; null: any.
    valid_from,                                                               -- Only documents of this day or later; null: any.
    valid_to,                                                                 -- Only documents of this day or earlier; null: any.
    account_id,                                                               -- Where a line goes.
    reason,                                                                   -- Why the firm made it.
    decided_at,                                                               -- When it was last changed.
    decided_by                                                                -- By whom.
from active
where not withdrawn
