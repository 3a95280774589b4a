-- Vendors and customers as BILL last reported them.
--
-- grain: one row per vendor or customer
-- key: party_id
-- owner: team:accounting
with

documents as (
    select
        list,
        id,
        is_archived,
        from_json(document, '{
            "name": "VARCHAR", "companyName": "VARCHAR", "email": "VARCHAR",
            "billCurrency": "VARCHAR", "invoiceCurrency": "VARCHAR",
            "additionalInfo": {"track1099": "BOOLEAN", "companyName": "VARCHAR", "taxId": "VARCHAR"}
        }') as d
    from staging.documents_known
    where list in ('vendors', 'customers')
),

-- Only BILL's older interface says which record was merged into which.
details as (
    select
        if(list = 'vendor_details', 'vendors', 'customers') as list,
        id,
        from_json(document, '{"mergedIntoId": "VARCHAR", "taxId": "VARCHAR"}') as d
    from staging.documents_known
    where list in ('vendor_details', 'customer_details')
),

tax_ids as (
    select
        list, id,
        regexp_replace(
            upper(coalesce(nullif(trim(documents.d.additionalInfo.taxId), ''), details.d.taxId)),
            '[^A-Z0-9*]', '', 'g'
        ) as tax_id
    from documents
    left join details using (list, id)
),

merges as (
    select details.list, details.id, kept.id as merged_into_party_id
    from details
    inner join documents as kept
        on kept.list = details.list and kept.id = details.d.mergedIntoId and kept.id <> details.id
)

select
    id as party_id,                                                     -- BILL's id; renames and merges never change it.
    if(list = 'vendors', 'vendor', 'customer') as party_type,           -- vendor or customer.
    coalesce(d.name, d.companyName, id) as party,                       -- Name as BILL last reported it.
    coalesce(d.billCurrency, d.invoiceCurrency) as currency,            -- Currency in which it bills or is billed; null: home.
    coalesce(d.additionalInfo.track1099, false) as is_1099_vendor,      -- BILL's flag to track payments for Form 1099.
    -- Zeros stand for none, and of a masked number nobody can tell whose it is.
    if(tax_ids.tax_id similar to '0*|.*[*].*', null, tax_ids.tax_id) as tax_id,  -- Taxpayer's number without separators, where BILL gives one.
    merges.merged_into_party_id,                                        -- The record into which it was merged in BILL.
    is_archived                                                         -- No longer offered in BILL.
from documents
left join tax_ids using (list, id)
left join merges using (list, id)
