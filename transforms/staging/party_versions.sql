-- What BILL said of each vendor and customer, and in which syncs that was known.
--
-- grain: one row per vendor or customer and run of syncs that knew the same of it
-- key: party_type, party_id, known_from
-- owner: team:accounting
with

documents as (
    select
        list, id, seen_at, is_archived,
        from_json(document, '{
            "name": "VARCHAR", "companyName": "VARCHAR", "email": "VARCHAR",
            "billCurrency": "VARCHAR", "invoiceCurrency": "VARCHAR",
            "additionalInfo": {"track1099": "BOOLEAN", "companyName": "VARCHAR", "taxId": "VARCHAR"}
        }') as d
    from staging.versions_known
    where list in ('vendors', 'customers')
    qualify version = max(version) over (partition by list, id, seen_at)
),

-- Only BILL's older interface says which record was merged into which.
details as (
    select
        if(list = 'vendor_details', 'vendors', 'customers') as list, id, seen_at,
        from_json(document, '{"mergedIntoId": "VARCHAR", "taxId": "VARCHAR"}') as d
    from staging.versions_known
    where list in ('vendor_details', 'customer_details')
    qualify version = max(version) over (partition by list, id, seen_at)
),

first_seen as (
    select list, id, min(seen_at) as first_seen_at from documents group by list, id
),

-- The record into which one was merged may be listed after it.
moments as (
    select list, id, seen_at as moment from documents
    union
    select list, id, seen_at from details
    union
    select details.list, details.id, kept.first_seen_at
    from details
    inner join first_seen as kept on kept.list = details.list and kept.id = details.d.mergedIntoId
),

readings as (
    select
        moments.list, moments.id, moments.moment, documents.is_archived, documents.d,
        details.d.mergedIntoId as merged_into_id,
        regexp_replace(
            upper(coalesce(nullif(trim(documents.d.additionalInfo.taxId), ''), details.d.taxId)),
            '[^A-Z0-9*]', '', 'g'
        ) as tax_id
    from moments
    asof inner join documents
        on documents.list = moments.list and documents.id = moments.id and moments.moment >= documents.seen_at
    asof left join details
        on details.list = moments.list and details.id = moments.id and moments.moment >= details.seen_at
),

states as (
    select
        readings.id as party_id, readings.moment,
        {
            'party_type': if(readings.list = 'vendors', 'vendor', 'customer'),
            'party': coalesce(readings.d.name, readings.d.companyName, readings.id),
            'currency': coalesce(readings.d.billCurrency, readings.d.invoiceCurrency),
            'is_1099_vendor': coalesce(readings.d.additionalInfo.track1099, false),
            -- Zeros stand for none, and of a masked number nobody can tell whose it is.
            'tax_id': if(readings.tax_id similar to '0*|.*[*].*', null, readings.tax_id),
            'merged_into_party_id': kept.id,
            'is_archived': readings.is_archived
        } as said
    from readings
    left join first_seen as kept
        on kept.list = readings.list and kept.id = readings.merged_into_id and kept.id <> readings.id
        and kept.first_seen_at <= readings.moment
),

changes as (
    select *
    from states
    qualify said is distinct from lag(said) over (partition by said.party_type, party_id order by moment)
)

select
    party_id,                                              -- BILL's id; renames and merges never change it.
    said.party_type as party_type,                         -- vendor or customer.
    said.party as party,                                   -- Name as BILL then reported it.
    said.currency as currency,                             -- Currency in which it bills or is billed; null: home.
    said.is_1099_vendor as is_1099_vendor,                 -- BILL's flag to track payments for Form 1099.
    said.tax_id as tax_id,                                 -- Taxpayer's number without separators, where BILL gives one.
    said.merged_into_party_id as merged_into_party_id,     -- The record into which it was merged in BILL.
    said.is_archived as is_archived,                       -- No longer offered in BILL.
    moment as known_from,                                  -- The sync since which it was known so (UTC).
    lead(moment, 1, timestamp '9999-12-31') over (
        partition by said.party_type, party_id order by moment
    ) as known_to                                          -- The sync that changed it (UTC).
from changes
