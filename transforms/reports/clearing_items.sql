-- What went into each clearing account and what came out: payments, receipts and transfers with what is left of them.
--
-- A transfer assumed for a payment stands on the payment's own item, so the two add up to zero
-- and not listed. BILL's own transfers are lump sums that name no payments: each is an item of its
-- own, and where a day's items add up to zero they belong together.
--
-- grain: one row per clearing account, kind of document and document
-- key: control, document_type, item_id
-- owner: team:accounting
-- totals: amount
-- macro: clearing_items_at(report_date, known_at)
with

lines as (
    select
        accounts.control,
        journal_lines.account_id,
        -- Ids are unique within a list only; an assumed transfer is its payment's or its receipt's,
        -- and what was in flight when the books begin is told by the event.
        case
            when journal_lines.document_type = 'opening_balance' and journal_lines.document_id = 'in_flight'
                then split_part(journal_lines.event, ':', 2)
            when journal_lines.document_type <> 'derived_transfer' then journal_lines.document_type
            when accounts.control = 'money out clearing' then 'payment'
            else 'received_payment'
        end as document_type,
        coalesce(journal_lines.open_item_id, journal_lines.document_id) as item_id,
        if(journal_lines.document_id = 'in_flight', journal_entries.document_date, journal_lines.date) as date,
        journal_lines.amount
    from ledger.journal_lines as journal_lines
    inner join ledger.journal_entries as journal_entries on journal_entries.entry_id = journal_lines.entry_id
    inner join ledger.accounts as accounts on accounts.account_id = journal_lines.account_id
    cross join ledger.books as books
    where accounts.control in ('money out clearing', 'money in clearing')
        and journal_lines.date <= coalesce(getvariable('report_date'), books.known_until::date)
        and journal_lines.posted_at <= coalesce(getvariable('known_at'), timestamp '9999-12-31')
),

items as (
    select control, account_id, document_type, item_id, min(date) as date, sum(amount) as amount
    from lines
    group by control, account_id, document_type, item_id
    having sum(amount) <> 0
)

select
    control,                                                            -- money out clearing or money in clearing.
    account_id,                                                         -- The clearing account.
    document_type,                                                      -- payment, received_payment, money_movement …
    item_id,                                                            -- BILL's id of that document.
    date,                                                               -- Day it entered clearing.
    amount::decimal(18, 2) as amount,                                   -- What it left there, debit positive.
    sum(amount) over (partition by account_id, date) = 0 as is_matched_by_day  -- The items of its day add up to zero.
from items
