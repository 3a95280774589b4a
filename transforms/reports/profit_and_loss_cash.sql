-- What was earned and spent, by month, account and dimension (cash basis).
--
-- grain: one row per month, account and type that it had, class, department, location and job
-- key: month, account_id, account_type, class_id, department_id, location_id, job_id
-- owner: team:accounting
-- columns: reports.profit_and_loss
-- totals: net_income
-- macro: profit_and_loss_cash_between(period_start, period_end, known_at)
select
    date_trunc('month', lines.date)::date as month, accounts.statement_section, accounts.account_id,
    accounts.account_code, accounts.account_name, accounts.account_type, lines.class_id, lines.department_id,
    lines.location_id, lines.job_id, sum(as_shown(accounts.account_type, lines.amount))::decimal(18, 2) as amount,
    sum(-lines.amount)::decimal(18, 2) as net_income
from ledger.cash_basis_lines as lines
inner join ledger.accounts_by_day as accounts
    on accounts.account_id = lines.account_id
    and coalesce(lines.type_date, lines.date) between accounts.valid_from and accounts.valid_to
where accounts.statement = 'Income Statement'
    and in_period(lines.date)
group by all
having sum(lines.amount) <> 0
