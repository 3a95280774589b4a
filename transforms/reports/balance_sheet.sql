-- What the company owns and owes, with earnings of earlier years and of this fiscal year.
--
-- Earnings are computed, never posted: the fiscal year is the one that contains the report's day.
--
-- grain: one row per account, and one for each kind of earnings
-- key: account_id
-- owner: team:accounting
-- macro: balance_sheet_at(report_date, known_at)
with

fiscal_year as (
    select
        fiscal_year_start(
            coalesce(getvariable('report_date'), books.known_until::date)::date, books.fiscal_year_end
        ) as first_day
    from ledger.books as books
),

lines as (
    select
        journal_lines.amount,
        journal_lines.account_id,
        accounts.statement,
        journal_lines.date >= fiscal_year.first_day as is_this_year
    from ledger.journal_lines as journal_lines
    inner join ledger.accounts_by_day as accounts
        on accounts.account_id = journal_lines.account_id
        and coalesce(journal_lines.type_date, journal_lines.date) between accounts.valid_from and accounts.valid_to
    cross join fiscal_year
    cross join ledger.books as books
    where journal_lines.date <= coalesce(getvariable('report_date'), books.known_until::date)
        and journal_lines.posted_at <= coalesce(getvariable('known_at'), timestamp '9999-12-31')
),

balances as (
    select account_id, sum(amount) as balance
    from lines
    where statement = 'Balance Sheet'
    group by account_id
    union all
    select if(is_this_year, 'earnings:current_year', 'earnings:earlier_years'), sum(amount)
    from lines
    where statement = 'Income Statement'
    group by is_this_year
),

-- A balance that is none of the balance sheet's account type any more stays under the last one that was.
labels as (
    select accounts.*
    from ledger.accounts_by_day as accounts
    cross join ledger.books as books
    where accounts.statement = 'Balance Sheet'
        and accounts.valid_from <= coalesce(getvariable('report_date'), books.known_until::date)
    qualify row_number() over (partition by accounts.account_id order by accounts.valid_from desc) = 1
)

select
    balances.account_id,                                                  -- Account, or earnings:current_year, earnings:earlier_years.
    accounts.account_code,                                                -- Number in the chart.
    case balances.account_id
        when 'earnings:current_year' then 'Earnings of this fiscal year'
        when 'earnings:earlier_years' then 'Retained earnings of earlier years'
        else accounts.account_name
    end as account_name,                                                  -- Name in the chart.
    coalesce(accounts.account_type, 'Equity') as account_type,            -- Asset, Liability or Equity.
    coalesce(accounts.statement_section, 'Equity') as statement_section,  -- Heading in the statement.
    if(
        coalesce(accounts.account_type, 'Equity') = 'Asset', balances.balance, -balances.balance
    )::decimal(18, 2) as amount,                                          -- Assets, liabilities and equity all positive in the normal case.
    balances.balance::decimal(18, 2) as balance                           -- Debit less credit.
from balances
left join labels as accounts on accounts.account_id = balances.account_id
where balances.balance <> 0
