-- Where cash came from and went, month by month (indirect method).
--
-- Profit, less what is tied up in other accounts, is the change of cash; clearing accounts are
-- cash on its way. Suspense is shown as unclassified, never hidden in an activity.
--
-- grain: one row per month and account, one for the profit, one for the change of cash
-- key: month, account_id
-- owner: team:accounting
-- macro: cash_flow_between(period_start, period_end, known_at)
with

lines as (
    select
        date_trunc('month', journal_lines.date)::date as month,
        journal_lines.amount,
        accounts.*
    from ledger.journal_lines as journal_lines
    inner join ledger.accounts as accounts on accounts.account_id = journal_lines.account_id
    where journal_lines.date >= coalesce(getvariable('period_start'), date '0001-01-01')
        and journal_lines.date <= coalesce(getvariable('period_end'), date '9999-12-31')
        and journal_lines.posted_at <= coalesce(getvariable('known_at'), timestamp '9999-12-31')
),

flows as (
    select month, 'operating' as activity, 'net income' as account_id, 'Net income' as account_name, -amount as amount
    from lines
    where statement = 'Income Statement'
    union all
    select month, coalesce(cash_flow_activity, 'unclassified'), account_id, account_name, -amount
    from lines
    where statement = 'Balance Sheet' and coalesce(cash_flow_activity, '') <> 'cash'
    union all
    select month, 'change of cash', 'change of cash', 'Change of cash', amount
    from lines
    where statement = 'Balance Sheet' and cash_flow_activity = 'cash'
)

select
    month,                                    -- First day of the month.
    activity,                                 -- operating, investing, financing, unclassified, or change of cash.
    account_id,                               -- Account, net income, or change of cash.
    account_name,                             -- Its name.
    sum(amount)::decimal(18, 2) as amount     -- Cash gained (+) or used (-); change of cash is the sum of the others.
from flows
group by all
having sum(amount) <> 0
