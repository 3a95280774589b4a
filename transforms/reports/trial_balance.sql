-- Every account's balance; debits equal credits. Of an account that changed its type, the report's day counts.
--
-- grain: one row per account with entries
-- key: account_id
-- owner: team:accounting
-- macro: trial_balance_at(report_date, known_at)
select
    accounts.account_id,                                                     -- BILL's id, or standard:<number>.
    accounts.account_code,                                                   -- Number in the chart.
    accounts.account_name,                                                   -- Name in the chart.
    accounts.account_type,                                                   -- Asset, Liability, Equity, Revenue …
    greatest(sum(lines.amount), 0)::decimal(18, 2) as debit,                 -- Balance when it is a debit.
    greatest(-sum(lines.amount), 0)::decimal(18, 2) as credit,               -- Balance when it is a credit.
    sum(lines.amount)::decimal(18, 2) as balance                             -- Debit less credit.
from ledger.journal_lines as lines
inner join ledger.accounts_by_day as accounts
    on accounts.account_id = lines.account_id
    and coalesce(getvariable('report_date'), date '9999-12-31') between accounts.valid_from and accounts.valid_to
where lines.date <= coalesce(getvariable('report_date'), date '9999-12-31')
    and lines.posted_at <= coalesce(getvariable('known_at'), timestamp '9999-12-31')
group by all
