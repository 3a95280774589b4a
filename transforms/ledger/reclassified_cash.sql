-- Balances moved under another type of their account, in the amounts that they have on the cash basis.
--
-- A line of an open day has the share of cash of the last decision. One of a closed day keeps that of
-- the decision that it carried, and so does what takes it back: a reversal carries the one that was
-- posted, a late adjustment the one before.
--
-- grain: one row per account of a balance moved
-- key: basis_line_id
-- owner: team:accounting
-- named: document_id
-- columns: ledger.cash_basis_lines
-- macro: reclassified_cash_at(known_at)
with

lines as (
    select
        lines.*, coalesce(taken_back.entry_kind, lines.entry_kind) = 'late_adjustment' as is_late,
        is_late or coalesce(taken_back.date, lines.date) <= books.closed_through as is_kept,
        coalesce(taken_back.posted_at, lines.posted_at)
        - if(is_late, interval 1 microsecond, interval 0 microsecond) as carried_at
    from ledger.journal_lines as lines
    left join ledger.journal_entries as taken_back on taken_back.entry_id = lines.reverses_entry_id
    cross join ledger.books as books
    where lines.document_type = 'reclassification' and lines.line_key = 'balance_sheet'
        and lines.posted_at <= coalesce(getvariable('known_at'), timestamp '9999-12-31')
),

-- In step with the side of the balance sheet: what was taken back is taken back here too.
reclassified as (
    select
        lines.line_id, lines.date, lines.account_id, lines.type_date, newest.document_id, newest.earnings_account_id,
        if(newest.is_to_balance_sheet, newest.first_day - 1, newest.first_day) as other_type_date,
        if(
            lines.is_kept,
            prorated(lines.amount, carried.amount_cash, carried.amount),
            prorated(lines.amount, newest.amount_cash, newest.amount)
        ) as amount,
        if(
            lines.is_kept,
            prorated(lines.amount, carried.amount_earlier_cash, carried.amount),
            prorated(lines.amount, newest.amount_earlier_cash, newest.amount)
        ) as amount_earlier
    from lines
    inner join ledger.reclassifications as newest on newest.document_id = lines.document_id
    asof inner join ledger.reclassification_versions as carried
        on carried.document_id = lines.document_id and lines.carried_at >= carried.known_from
)

select line_id as basis_line_id, date, account_id, type_date, amount::decimal(18, 2) as amount, document_id
from reclassified
union all by name
select
    line_id || ':profit_and_loss' as basis_line_id, date, account_id, other_type_date as type_date,
    (amount_earlier - amount)::decimal(18, 2) as amount, document_id
from reclassified
union all by name
select
    line_id || ':retained_earnings' as basis_line_id, date, earnings_account_id as account_id,
    -amount_earlier::decimal(18, 2) as amount, document_id
from reclassified
