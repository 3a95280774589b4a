-- What stands under an account's old type although the account is of the other statement now, by fiscal year.
--
-- Of an account that changed statements more than once, what stands under any type of the statement
-- that it left last. An entry that moves it is not counted here; one that moved an earlier change is, and
-- what that entry moved to or from retained earnings is of the years before it.
--
-- grain: one row per account and fiscal year of the postings
-- key: account_id, fiscal_year_ends_on
-- owner: team:accounting
with

crossings as (
    select *
    from (
        select
            account_id, account_code, account_name, account_type, statement, valid_from,
            lag(account_type) over by_day as account_type_before,
            lag(statement) over by_day as statement_before
        from ledger.accounts_by_day
        window by_day as (partition by account_id order by valid_from)
    )
    where statement <> statement_before
    qualify row_number() over (partition by account_id order by valid_from desc) = 1
),

posted as (
    select
        account_id, date, coalesce(type_date, date) as type_date, amount, 0 as amount_cash, document_type, document_id
    from ledger.journal_lines
    union all
    select account_id, date, coalesce(type_date, date), 0, amount, document_type, document_id
    from ledger.cash_basis_lines
),

-- The line of retained earnings in an entry that moved an earlier change of type.
moved_earnings as (
    select
        moved.account_id, posted.date, fiscal_year_start(posted.date, books.fiscal_year_end) - 1 as day_before,
        if(moved.is_to_balance_sheet, moved.first_day, moved.first_day - 1) as day_of_balance_sheet,
        if(moved.is_to_balance_sheet, moved.first_day - 1, moved.first_day) as day_of_profit,
        posted.amount, posted.amount_cash, posted.document_type, posted.document_id
    from posted
    inner join ledger.reclassifications as moved on moved.document_id = posted.document_id
    cross join ledger.books as books
    where posted.document_type = 'reclassification' and posted.account_id <> moved.account_id
),

lines as (
    from posted
    union all
    select account_id, date, day_of_balance_sheet, amount, amount_cash, document_type, document_id
    from moved_earnings
    union all
    select account_id, day_before, day_of_balance_sheet, -amount, -amount_cash, document_type, document_id
    from moved_earnings
    union all
    select account_id, day_before, day_of_profit, amount, amount_cash, document_type, document_id
    from moved_earnings
)

select
    crossings.account_id,                                           -- BILL's id of the account.
    crossings.account_code,                                         -- Number in the chart.
    crossings.account_name,                                         -- Name in the chart.
    crossings.account_type_before,                                  -- Type of the postings before.
    crossings.account_type,                                         -- Type of the postings since.
    crossings.valid_from as first_day,                              -- First day whose postings have it.
    crossings.statement = 'Balance Sheet' as is_to_balance_sheet,   -- The account went from profit and loss to the balance sheet; else the other way.
    fiscal_year_end_of(lines.date, books.fiscal_year_end) as fiscal_year_ends_on,  -- Last day of the fiscal year.
    sum(lines.amount)::decimal(18, 2) as amount,                    -- Posted in it under the old type, debit positive.
    sum(lines.amount_cash)::decimal(18, 2) as amount_cash           -- The same on the cash basis.
from crossings
inner join lines
    on lines.account_id = crossings.account_id and lines.type_date < crossings.valid_from
    and (
        lines.document_type is distinct from 'reclassification'
        or lines.document_id <> crossings.account_id || ':' || crossings.valid_from
    )
inner join ledger.accounts_by_day as types
    on types.account_id = lines.account_id
    and lines.type_date between types.valid_from and types.valid_to
    and types.statement = crossings.statement_before
cross join ledger.books as books
group by all
having sum(lines.amount) <> 0 or sum(lines.amount_cash) <> 0
