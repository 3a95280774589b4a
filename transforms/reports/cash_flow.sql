-- Where cash came from and went, month by month (indirect method).
--
-- Profit, less what is tied up in other accounts, is the change of cash; clearing accounts are
-- cash on its way. What a bill or invoice invests or finances flows when it is paid: until then it is
-- no cash, and its payable or receivable is none of operations. Balances brought in when the books
-- moved here are no flow. Suspense is shown as unclassified, never hidden in an activity.
--
-- grain: one row per month, activity and account, one for the profit, one for the change of cash
-- key: month, activity, account_id
-- owner: team:accounting
-- macro: cash_flow_between(period_start, period_end, known_at)
with

journal_lines as (
    select *
    from ledger.journal_lines
    where document_type <> 'opening_balance' and event <> 'opened'
        and posted_at <= coalesce(getvariable('known_at'), timestamp '9999-12-31')
),

-- The payable or receivable of each document.
document_controls as (
    select lines.document_type, lines.document_id, arg_max(lines.account_id, (lines.posted_at, lines.line_id)) as account_id
    from ledger.journal_lines as lines
    inner join ledger.accounts as accounts on accounts.account_id = lines.account_id
    where lines.event in ('entered', 'billed', 'opened') and accounts.control in ('payables', 'receivables')
        and lines.posted_at <= coalesce(getvariable('known_at'), timestamp '9999-12-31')
    group by lines.document_type, lines.document_id
),

-- What documents put on accounts of investing and financing, when it is booked and when it is paid.
booked_or_paid as (
    select lines.date, lines.document_type, lines.document_id, lines.account_id, -lines.amount as amount
    from journal_lines as lines
    where lines.event in ('entered', 'billed')
    union all
    select date, document_type, document_id, account_id, amount
    from ledger.cash_basis_lines
),

not_yet_paid as (
    select booked_or_paid.*, document_controls.account_id as control_account_id
    from booked_or_paid
    inner join document_controls using (document_type, document_id)
    inner join ledger.accounts_by_day as accounts
        on accounts.account_id = booked_or_paid.account_id
        and booked_or_paid.date between accounts.valid_from and accounts.valid_to
    where accounts.cash_flow_activity in ('investing', 'financing')
),

lines as (
    select date_trunc('month', moved.date)::date as month, moved.amount, accounts.*
    from (
        select date, account_id, amount from journal_lines
        union all
        select date, account_id, amount from not_yet_paid
        union all
        select date, control_account_id, -amount from not_yet_paid
    ) as moved
    inner join ledger.accounts_by_day as accounts
        on accounts.account_id = moved.account_id
        and moved.date between accounts.valid_from and accounts.valid_to
    where moved.date >= coalesce(getvariable('period_start'), date '0001-01-01')
        and moved.date <= coalesce(getvariable('period_end'), date '9999-12-31')
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
