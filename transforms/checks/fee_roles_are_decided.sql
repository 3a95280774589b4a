-- No fees are booked to the standard account while several accounts of the client's own could be meant.
--
-- Exactly one account of the chart with a usual name takes a role of fees by itself; of several a person
-- chooses one in the settings. The reason of the role names them.
--
-- table: ledger.journal_lines
-- severity: warn
with

roles as (
    select
        role, arg_max(account_id, (decided_at, rowid)) as account_id,
        arg_max(reason, (decided_at, rowid)) as reason
    from decisions.account_roles
    where role in ('bill_fees', 'merchant_fees') and decided_at <= getvariable('as_of')
    group by role
)

select roles.role, account_id, roles.reason, sum(lines.amount) as amount
from roles
inner join ledger.journal_lines as lines using (account_id)
where starts_with(roles.reason, 'several accounts')
group by all
