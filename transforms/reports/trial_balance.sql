-- Every account's balance; debits equal credits.
--
-- An account that went from one statement to the other has a row in each, as long as it has a balance
-- there: its postings count under the types they had. Within a statement, the report's day counts.
--
-- grain: one row per account with entries, and statement that it is or was of
-- key: account_id, account_type
-- owner: team:accounting
-- totals: debit, credit, balance
-- macro: trial_balance_at(report_date, known_at)
with

balances as (
    select lines.account_id, types.statement, sum(lines.amount) as balance
    from ledger.journal_lines as lines
    inner join ledger.accounts_by_day as types
        on types.account_id = lines.account_id
        and coalesce(lines.type_date, lines.date) between types.valid_from and types.valid_to
    where lines.date <= coalesce(getvariable('report_date'), date '9999-12-31')
        and lines.posted_at <= coalesce(getvariable('known_at'), timestamp '9999-12-31')
    group by lines.account_id, types.statement
),

-- The last type of each statement, and the type of the report's day.
labels as (
    select *, row_number() over (partition by account_id order by valid_from desc) = 1 as is_of_the_day
    from ledger.accounts_by_day
    where valid_from <= coalesce(getvariable('report_date'), date '9999-12-31')
    qualify row_number() over (partition by account_id, statement order by valid_from desc) = 1
)

select
    accounts.account_id,                                                     -- BILL's id, or standard:<number>.
    accounts.account_code,                                                   -- Number in the chart.
    accounts.account_name,                                                   -- Name in the chart.
    accounts.account_type,                                                   -- Asset, Liability, Equity, Revenue …
    greatest(balances.balance, 0)::decimal(18, 2) as debit,                  -- Balance when it is a debit.
    greatest(-balances.balance, 0)::decimal(18, 2) as credit,                -- Balance when it is a credit.
    balances.balance::decimal(18, 2) as balance                              -- Debit less credit.
from balances
inner join labels as accounts
    on accounts.account_id = balances.account_id and accounts.statement = balances.statement
where balances.balance <> 0 or accounts.is_of_the_day
