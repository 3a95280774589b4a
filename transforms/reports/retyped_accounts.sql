-- Accounts whose type was changed after they were closed with postings, and the balance that stays under the old type.
--
-- Between a statement and the other nothing moves by itself: what was a cost of closed days stays one,
-- and what was an asset stays one, until a person accepts an entry that moves it. Within a statement
-- the balance stands under the type of the report's day.
--
-- grain: one row per account and change of its type
-- key: account_id, first_day
-- owner: team:accounting
with

-- A new name alone is no other type.
runs as (
    select
        *,
        -- Null within a statement.
        if(statement <> statement_before, max(valid_from) filter (where statement <> statement_before) over (
            partition by account_id
        ) = valid_from, null) as is_last_crossing
    from (
        select
            *,
            lag(account_type) over by_day as account_type_before,
            lag(account_subtype) over by_day as account_subtype_before,
            lag(statement) over by_day as statement_before
        from ledger.accounts_by_day
        window by_day as (partition by account_id order by valid_from)
    )
    where (account_type, account_subtype) is distinct from (account_type_before, account_subtype_before)
        and statement_before is not null
),

-- Postings before, under the types of the statement that it had then.
counted as (
    select runs.account_id, runs.valid_from, count(*) as line_count
    from runs
    inner join ledger.journal_lines as lines
        on lines.account_id = runs.account_id and coalesce(lines.type_date, lines.date) < runs.valid_from
        and lines.document_type <> 'reclassification'
    inner join ledger.accounts_by_day as types
        on types.account_id = lines.account_id
        and coalesce(lines.type_date, lines.date) between types.valid_from and types.valid_to
        and types.statement = runs.statement_before
    group by runs.account_id, runs.valid_from
),

balances as (
    select account_id, first_day, sum(amount) as balance, sum(amount_cash) as balance_cash
    from reports.retyped_balances
    group by account_id, first_day
)

select
    runs.account_id,                                                   -- BILL's id of the account.
    runs.account_code,                                                 -- Number in the chart.
    runs.account_name,                                                 -- Name in the chart.
    runs.account_type_before,                                          -- Type of the postings before.
    runs.account_subtype_before,                                       -- Its finer kind.
    runs.account_type,                                                 -- Type of the postings since.
    runs.account_subtype,                                              -- Its finer kind.
    runs.valid_from as first_day,                                      -- First day whose postings have it: the first one that was open when the change came.
    runs.statement <> runs.statement_before as is_other_statement,     -- It went from the balance sheet to profit and loss, or back.
    if(
        runs.is_last_crossing, coalesce(balances.balance, 0) - if(decided.action = 'move', decided.amount, 0), 0
    )::decimal(18, 2) as balance_kept,                                 -- Stays under the old type, debit positive; of an account that changed statements again, with the last change.
    if(
        runs.is_last_crossing,
        coalesce(balances.balance_cash, 0) - if(decided.action = 'move', decided.amount_cash, 0), 0
    )::decimal(18, 2) as balance_kept_cash,                            -- The same on the cash basis.
    decided.action as decision,                                        -- move: a person accepted the entry that moves it; keep: left as it is.
    decided.amount as amount_decided,                                  -- Balance that was moved or kept, debit positive.
    coalesce(counted.line_count, 0) as line_count                      -- Postings before that day; entries that moved a balance are none.
from runs
left join counted on counted.account_id = runs.account_id and counted.valid_from = runs.valid_from
left join balances on balances.account_id = runs.account_id and balances.first_day = runs.valid_from
left join ledger.reclassifications as decided
    on decided.account_id = runs.account_id and decided.first_day = runs.valid_from
    and decided.action <> 'withdraw'
where counted.account_id is not null or balances.account_id is not null
