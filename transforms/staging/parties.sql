-- Vendors and customers as BILL last reported them.
--
-- grain: one row per vendor or customer
-- key: party_id
-- owner: team:accounting
-- columns: staging.party_versions
select
    party_id, party_type,
    party,                 -- Name as BILL last reported it.
    currency, is_1099_vendor, tax_id, merged_into_party_id, is_archived
from staging.party_versions
where known_to = timestamp '9999-12-31'
