-- Bills far above what the vendor has billed before.
--
-- A bill is compared with the vendor's bills of the two years before it, at least eight of them, on
-- a scale of ratios: it is named when it is more than three times the largest of them and more
-- than six times the spread above their middle. Small sums (under 500) are left alone.
--
-- grain: one row per unusual bill
-- key: bill_id
-- owner: team:accounting
with

bills as (
    select
        documents.document_id, coalesce(parties.merged_party_id, documents.party_id) as party_id, parties.merged_party as party,
        documents.number, documents.date, documents.amount, documents.currency
    from ledger.documents as documents
    left join ledger.parties as parties using (party_id)
    where documents.document_type = 'bill' and documents.is_booked and documents.amount > 0
),

above_all_before as (
    select *, count(*) over before as count_before, max(amount) over before as largest_before
    from bills
    window before as (
        partition by party_id, currency
        order by date
        range between interval 730 days preceding and interval 1 day preceding
    )
    qualify count_before >= 8 and amount >= 500 and amount > 3 * largest_before
),

compared as (
    select
        later.*, median(ln(earlier.amount)) as middle, mad(ln(earlier.amount)) as spread
    from above_all_before as later
    inner join bills as earlier
        on earlier.party_id is not distinct from later.party_id and earlier.currency = later.currency
        and earlier.date >= later.date - 730 and earlier.date < later.date
    group by all
)

select
    document_id as bill_id,                                        -- BILL's id of the bill.
    party_id,                                                      -- BILL's id of the vendor.
    party,                                                         -- Its name.
    number,                                                        -- Number on the bill.
    date,                                                          -- Day of the bill.
    currency,                                                      -- Currency of the amounts.
    amount,                                                        -- Its amount.
    exp(middle)::decimal(18, 2) as usual_amount,                   -- Middle of the vendor's bills in the two years before.
    largest_before,                                                -- Largest of them.
    count_before as bill_count_before                              -- How many of them there are.
from compared
-- A vendor who always bills the same has no spread; a tenth keeps the scale honest.
where ln(amount) - middle > 6 * greatest(spread, 0.1)
