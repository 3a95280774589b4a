-- The agings of payables and receivables add up to their control accounts on the same day.
--
-- table: reports.trial_balance
-- severity: error
select control, sum(in_ledger) as amount_in_ledger, sum(in_aging) as amount_in_aging
from (
    select accounts.control, lines.balance as in_ledger, 0 as in_aging
    from reports.trial_balance as lines
    inner join ledger.accounts as accounts using (account_id)
    where accounts.control in ('payables', 'receivables')
    union all
    select 'payables', 0, -amount_total from reports.payables_aging
    union all
    select 'receivables', 0, amount_total from reports.receivables_aging
)
group by control
having sum(in_ledger) <> sum(in_aging)
