-- Money between the bank and BILL: what explains the balance of each clearing account, item by item.
--
-- Transfers are lump sums that do not name their payments. Where a day's transfers and payments add
-- up to zero, they belong together; of the rest the oldest payments count as transferred first, and
-- what is left adds up to the account's balance exactly. reports.clearing_transfers has the other side.
--
-- grain: one row per clearing account and item in flight
-- key: control, item_id
-- owner: team:accounting
-- macro: clearing_in_flight_at(report_date, known_at)
with

items as (
    select
        accounts.control,
        journal_lines.account_id,
        coalesce(journal_lines.open_item_id, journal_lines.document_id) as item_id,
        min(journal_lines.date) as date,
        sum(journal_lines.amount) as amount,
        max(coalesce(getvariable('report_date'), books.known_until::date)::date) as day
    from ledger.journal_lines as journal_lines
    inner join ledger.accounts as accounts on accounts.account_id = journal_lines.account_id
    cross join ledger.books as books
    where accounts.control in ('money out clearing', 'money in clearing')
        and journal_lines.date <= coalesce(getvariable('report_date'), books.known_until::date)
        and journal_lines.posted_at <= coalesce(getvariable('known_at'), timestamp '9999-12-31')
    group by all
    having sum(journal_lines.amount) <> 0
),

days as (
    select *, sum(amount) over (partition by account_id, date) as left_of_day from items
),

-- Debits and credits use each other up, oldest first.
running as (
    select
        * exclude (left_of_day),
        sum(abs(amount)) over (
            partition by account_id, sign(amount) order by date, item_id
            rows between unbounded preceding and current row
        ) as used_so_far,
        least(
            sum(greatest(amount, 0)) over (partition by account_id),
            sum(greatest(-amount, 0)) over (partition by account_id)
        ) as amount_matched
    from days
    where left_of_day <> 0
)

select
    running.control,                                            -- money out clearing or money in clearing.
    running.account_id,                                         -- The clearing account.
    running.item_id,                                            -- BILL's id of the payment, receipt or movement.
    documents.document_type,                                    -- payment, received_payment or money_movement.
    documents.number,                                           -- Number for people.
    documents.party,                                            -- Vendor or customer.
    documents.status,                                           -- BILL's status.
    running.date,                                               -- Day it entered clearing.
    running.day - running.date as days_in_flight,               -- Age on the day of the report.
    (sign(running.amount) * least(
        abs(running.amount), running.used_so_far - running.amount_matched
    ))::decimal(18, 2) as amount                                -- Still in clearing, debit positive.
from running
left join ledger.documents as documents on documents.document_id = running.item_id
where running.used_so_far > running.amount_matched
