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
            "additionalInfo": {"track1099": "BOOLEAN", "companyName": "VARCHAR"}
        }') as d
    from staging.documents_known
    where list in ('vendors', 'customers')
)

select
    id as party_id,                                                     -- BILL's id; renames and merges never change it.
    if(list = 'vendors', 'vendor', 'customer') as party_type,           -- vendor or customer.
    coalesce(d.name, d.companyName, id) as party,                       -- Name as BILL last reported it.
    coalesce(d.billCurrency, d.invoiceCurrency) as currency,            -- Currency in which it bills or is billed; null: home.
    coalesce(d.additionalInfo.track1099, false) as is_1099_vendor,      -- BILL's flag to track payments for Form 1099.
    is_archived                                                         -- No longer offered in BILL.
from documents
