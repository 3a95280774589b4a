-- The aging of receivables adds up to the control account on the same day.
--
-- table: reports.receivables_aging
-- severity: error
select aging.amount as amount_in_aging, balance.amount as amount_in_ledger
from (select coalesce(sum(amount_total), 0) as amount from reports.receivables_aging) as aging
cross join (
    select coalesce(sum(lines.balance), 0) as amount
    from reports.trial_balance as lines
    inner join ledger.accounts as accounts using (account_id)
    where accounts.control = 'receivables'
) as balance
where aging.amount <> balance.amount
