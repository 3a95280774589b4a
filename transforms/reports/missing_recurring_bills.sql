-- Vendors that bill every month and have not billed in a month that is over.
--
-- A vendor bills every month when it did so in each of the six months before. The month is named
-- ten days after its end, while the vendor has billed nothing since either: then the bill is
-- missing, not late. Three months without a bill are an end, not a gap (see quiet_vendors).
--
-- grain: one row per vendor
-- key: party_id
-- owner: team:accounting
with

months as (
    select
        coalesce(parties.merged_party_id, documents.party_id) as party_id,
        any_value(parties.merged_party) as party,
        date_trunc('month', documents.date)::date as month,
        sum(documents.amount_home) as amount
    from ledger.documents as documents
    left join ledger.parties as parties using (party_id)
    where documents.document_type = 'bill' and documents.is_booked and documents.amount > 0
    group by coalesce(parties.merged_party_id, documents.party_id), date_trunc('month', documents.date)
),

vendors as (
    select party_id, arg_max(party, month) as party, max(month) as last_month
    from months
    group by party_id
),

history as (
    select
        vendors.party_id,
        vendors.party,
        vendors.last_month,
        (vendors.last_month + interval 1 month)::date as missing_month,
        count(*) as month_count,
        median(months.amount) as usual_amount
    from vendors
    inner join months
        on months.party_id = vendors.party_id
        and months.month > vendors.last_month - interval 6 months
    group by vendors.party_id, vendors.party, vendors.last_month
)

select
    history.party_id,                                      -- BILL's id of the vendor.
    history.party,                                         -- Its name.
    history.missing_month,                                 -- First day of the month without a bill.
    history.last_month,                                    -- First day of the last month with one.
    history.usual_amount::decimal(18, 2) as usual_amount   -- Middle of the six months before, home currency.
from history
cross join ledger.books as books
where history.month_count = 6
    and books.known_until::date > (history.missing_month + interval 1 month + interval 10 days)::date
    and books.known_until::date < (history.missing_month + interval 3 months)::date
