-- No fees are booked to the standard account while several accounts of the client's own could be meant.
--
-- Exactly one account of the chart with a usual name takes a role of fees by itself; of several a person
-- chooses one in the settings. The reason of the role names them.
--
-- table: ledger.journal_lines
-- severity: warn
select roles.role, account_id, roles.reason, sum(lines.amount) as amount
from categorized.account_roles as roles
inner join ledger.journal_lines as lines using (account_id)
where role in ('bill_fees', 'merchant_fees') and starts_with(roles.reason, 'several accounts')
group by all
