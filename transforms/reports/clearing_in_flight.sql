-- Money between the bank and BILL: what explains the balance of each clearing account, item by item.
--
-- Transfers are lump sums that do not name their payments. Where a day's transfers and payments add
-- up to zero, they belong together; of the rest the oldest payments count as transferred first, and
-- what is left adds up to the account's balance exactly. reports.clearing_transfers has the other side.
-- What moved at a bank account without a ledger account stays here until a person says which one it is.
--
-- grain: one row per clearing account and item in flight
-- key: control, document_type, item_id
-- owner: team:accounting
-- totals: amount
-- macro: clearing_in_flight_at(report_date, known_at)
with

-- Debits and credits use each other up, oldest first.
running as (
    select
        *,
        sum(abs(amount)) over (
            partition by account_id, sign(amount) order by date, document_type, item_id
            rows between unbounded preceding and current row
        ) as used_so_far,
        least(
            sum(greatest(amount, 0)) over (partition by account_id),
            sum(greatest(-amount, 0)) over (partition by account_id)
        ) as amount_matched
    from reports.clearing_items
    where not is_matched_by_day
)

select
    running.control,                                            -- money out clearing or money in clearing.
    running.account_id,                                         -- The clearing account.
    running.item_id,                                            -- BILL's id of the payment, receipt or movement.
    running.document_type,                                      -- payment, received_payment, money_movement …
    documents.number,                                           -- Number for people.
    parties.merged_party as party,                                 -- Vendor or customer, one name for all its spellings.
    documents.status,                                           -- BILL's status.
    running.date,                                               -- Day it entered clearing.
    coalesce(getvariable('report_date'), books.known_until::date)::date - running.date as days_in_flight,  -- Age on the day of the report.
    (sign(running.amount) * least(
        abs(running.amount), running.used_so_far - running.amount_matched
    ))::decimal(18, 2) as amount,                               -- Still in clearing, debit positive.
    if(
        funding.account_id is null, funding.funding_account_name || ' has no ledger account', null
    ) as waits_for                                              -- What keeps it there, where that is known.
from running
cross join ledger.books as books
left join ledger.document_facts as documents
    on documents.document_type = running.document_type and documents.document_id = running.item_id
left join ledger.parties as parties on parties.party_id = documents.party_id
left join ledger.funding_accounts as funding
    on funding.funding_account_id = documents.funding_account_id and funding.funding_type = 'bank account'
where running.used_so_far > running.amount_matched
