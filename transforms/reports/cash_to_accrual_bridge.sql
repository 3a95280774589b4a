-- Why accrual profit and cash profit differ, month by month and account by account.
--
-- In every month the differences of the balance sheet accounts add up to the difference in profit.
--
-- grain: one row per month and balance sheet account, and one per month for the profit
-- key: month, account_id
-- owner: team:accounting
-- macro: cash_to_accrual_bridge_between(period_start, period_end, known_at)
with

lines as (
    select date, coalesce(type_date, date) as type_date, account_id, amount as accrual, 0 as cash
    from ledger.journal_lines
    where posted_at <= coalesce(getvariable('known_at'), timestamp '9999-12-31')
    union all
    select date, coalesce(type_date, date), account_id, 0, amount from ledger.cash_basis_lines
),

by_account as (
    select
        date_trunc('month', lines.date)::date as month,
        if(accounts.statement = 'Income Statement', 'net income', accounts.account_id) as account_id,
        if(accounts.statement = 'Income Statement', 'Net income', accounts.account_name) as account_name,
        -- Profit is a credit; what explains it stands on the other side.
        sum(if(accounts.statement = 'Income Statement', -accrual, accrual)) as accrual,
        sum(if(accounts.statement = 'Income Statement', -cash, cash)) as cash
    from lines
    inner join ledger.accounts_by_day as accounts
        on accounts.account_id = lines.account_id
        and lines.type_date between accounts.valid_from and accounts.valid_to
    where in_period(lines.date)
    group by all
)

select
    month,                                                -- First day of the month.
    account_id,                                           -- Account, or net income.
    account_name,                                         -- Its name.
    accrual::decimal(18, 2) as amount_accrual,            -- Profit, or change of the balance, on an accrual basis.
    cash::decimal(18, 2) as amount_cash,                  -- The same on a cash basis.
    (accrual - cash)::decimal(18, 2) as amount_difference -- Accrual less cash.
from by_account
where accrual <> cash or account_id = 'net income'
