-- What was earned and spent, by month, account and dimension (accrual basis).
--
-- grain: one row per month, account and type that it had, class, department, location and job
-- key: month, account_id, account_type, class_id, department_id, location_id, job_id
-- owner: team:accounting
-- totals: net_income
-- macro: profit_and_loss_between(period_start, period_end, known_at)
select
    date_trunc('month', lines.date)::date as month,               -- First day of the month.
    accounts.statement_section,                                   -- Revenue, Cost of Goods Sold, Operating Expenses …
    accounts.account_id,                                          -- BILL's id, or standard:<number>.
    accounts.account_code,                                        -- Number in the chart.
    accounts.account_name,                                        -- Name in the chart.
    accounts.account_type,                                        -- Revenue, Cost of Goods Sold, Expense, Other Income, Other Expense.
    lines.class_id,                                               -- Accounting class; null: none.
    lines.department_id,                                          -- Department; null: none.
    lines.location_id,                                            -- Location; null: none.
    lines.job_id,                                                 -- Job; null: none.
    sum(as_shown(accounts.account_type, lines.amount))::decimal(18, 2) as amount,  -- Income positive on income accounts, cost positive on cost accounts.
    sum(-lines.amount)::decimal(18, 2) as net_income              -- What it adds to the profit.
from ledger.journal_lines as lines
inner join ledger.accounts_by_day as accounts
    on accounts.account_id = lines.account_id
    and coalesce(lines.type_date, lines.date) between accounts.valid_from and accounts.valid_to
where accounts.statement = 'Income Statement'
    and in_period(lines.date)
    and lines.posted_at <= coalesce(getvariable('known_at'), timestamp '9999-12-31')
group by all
having sum(lines.amount) <> 0
