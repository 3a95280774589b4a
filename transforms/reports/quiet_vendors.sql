-- Vendors that billed at least six times and then fell silent for far longer than ever before.
--
-- Silence is counted up to the moment the books know. A vendor is named after 180 days, when the
-- silence is also more than twice its longest pause, and for a year: then it is no news any more.
--
-- grain: one row per vendor
-- key: party_id
-- owner: team:accounting
with

days as (
    select distinct
        coalesce(parties.merged_party_id, documents.party_id) as party_id, parties.merged_party as party, documents.date
    from ledger.documents as documents
    left join ledger.parties as parties using (party_id)
    where documents.document_type = 'bill' and documents.is_booked
),

pauses as (
    select *, date - lag(date) over (partition by party_id order by date) as pause_days
    from days
),

vendors as (
    select
        party_id,
        arg_max(party, date) as party,
        count(*) as billing_day_count,
        max(date) as last_bill_date,
        max(pause_days) as longest_pause_days
    from pauses
    group by party_id
),

open_amounts as (
    select coalesce(parties.merged_party_id, documents.party_id) as party_id, sum(documents.amount_open) as amount_open
    from ledger.documents as documents
    left join ledger.parties as parties using (party_id)
    where documents.document_type = 'bill' and documents.is_booked
    group by coalesce(parties.merged_party_id, documents.party_id)
)

select
    vendors.party_id,                                                  -- BILL's id of the vendor.
    vendors.party,                                                     -- Its name.
    vendors.billing_day_count,                                         -- Days on which it billed.
    vendors.last_bill_date,                                            -- Day of its last bill.
    (books.known_until::date - vendors.last_bill_date) as quiet_days,  -- Days since then.
    vendors.longest_pause_days,                                        -- Longest pause between two bills before.
    coalesce(open_amounts.amount_open, 0)::decimal(18, 2) as amount_open  -- What is still open of its bills.
from vendors
cross join ledger.books as books
left join open_amounts using (party_id)
where vendors.billing_day_count >= 6
    and books.known_until::date - vendors.last_bill_date between 181 and 545
    and books.known_until::date - vendors.last_bill_date > 2 * vendors.longest_pause_days
