-- Vendors and customers, BILL itself among the vendors.
--
-- grain: one row per party
-- key: party_id
-- owner: team:accounting
with

-- BILL may name a vendor on a document that its list does not give.
named_only as (
    select vendor_id as party_id, 'vendor' as party_type, max(vendor_name) as party
    from staging.bills
    where vendor_id is not null and vendor_id not in (select party_id from categorized.parties)
    group by vendor_id
)

select
    party_id,           -- BILL's id; renames and merges never change it.
    party_type,         -- vendor or customer.
    party,              -- Name as BILL last reported it.
    merged_party_id,    -- The vendor or customer that stands for all spellings of this party, else itself.
    firm_party_id,      -- Id of the party across vendors, customers and clients.
    firm_party,         -- Its name across spellings.
    currency,           -- Currency in which it bills or is billed; null: home.
    is_1099_vendor,     -- BILL's flag to track payments for Form 1099.
    is_archived         -- No longer offered in BILL.
from categorized.parties
union all
select party_id, party_type, coalesce(party, party_id), party_id, null, coalesce(party, party_id), null, false, false
from named_only
union all
select 'bill:fees', 'vendor', 'BILL', 'bill:fees', null, 'BILL', null, false, false
