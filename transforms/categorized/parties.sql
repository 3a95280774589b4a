-- Vendors and customers, and which of them are one party; a view, the journal keeps BILL's own ids.
--
-- grain: one row per vendor or customer
-- key: party_id
-- owner: team:accounting
-- named: parties
-- columns: categorized.party_versions
select
    party_id, party_type,
    party,              -- Name as BILL last reported it.
    merged_party_id,    -- The vendor or customer that stands for all spellings of this party.
    firm_party_id, firm_party, currency, is_1099_vendor, tax_id, is_archived
from categorized.party_versions
where known_to = timestamp '9999-12-31'
