-- What was known of vendors and customers when, and which of them were one: reports as known then read it.
--
-- grain: one row per vendor or customer and run of moments that knew the same of it
-- key: party_type, party_id, known_from
-- owner: team:accounting
-- columns: categorized.party_versions
with

listed as (
    select party_id, min(known_from) as since from categorized.party_versions group by party_id
),

first_seen as (
    select id as bill_id, min(seen_at) as since from staging.versions_known where list = 'bills' group by id
),

-- BILL may name a vendor on a document that its list does not give, or gives later.
named_only as (
    select
        bills.vendor_id as party_id, max(bills.vendor_name) as party, min(first_seen.since) as known_from,
        coalesce(any_value(listed.since), timestamp '9999-12-31') as known_to
    from staging.bills as bills
    inner join first_seen on first_seen.bill_id = bills.bill_id
    left join listed on listed.party_id = bills.vendor_id
    where bills.vendor_id is not null
    group by bills.vendor_id
    having min(first_seen.since) < coalesce(any_value(listed.since), timestamp '9999-12-31')
),

parties as (
    select
        *,
        -- The number itself stays where it is: it is nobody's business who reads the reports.
        if(tax_id is null, null, min(party_id) over (partition by party_type, tax_id)) as tax_record_id
    from categorized.party_versions
    union all by name
    select
        party_id, 'vendor' as party_type, coalesce(party, party_id) as party, party_id as merged_party_id,
        coalesce(party, party_id) as firm_party, false as is_1099_vendor, false as is_archived,
        known_from, known_to
    from named_only
    union all by name
    select
        'bill:fees' as party_id, 'vendor' as party_type, 'BILL' as party, 'bill:fees' as merged_party_id,
        'BILL' as firm_party, false as is_1099_vendor, false as is_archived,
        timestamp '0001-01-01' as known_from, timestamp '9999-12-31' as known_to
)

select
    party_id, party_type, party,
    merged_party_id,    -- The vendor or customer that stood for all spellings of this party, else itself.
    firm_party_id, firm_party, currency, is_1099_vendor,
    tax_record_id,      -- One id for all records that ever had this one's taxpayer number; null: it had none.
    is_archived, known_from, known_to
from parties
