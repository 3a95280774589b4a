-- Vendors and customers, and which of them are one party; a view, the journal keeps BILL's own ids.
--
-- grain: one row per vendor or customer
-- key: party_id
-- owner: team:accounting
select
    party_id,           -- BILL's id; renames and merges never change it.
    party_type,         -- vendor or customer.
    party,              -- Name as BILL last reported it.
    merged_party_id,    -- The vendor or customer that stands for all spellings of this party.
    firm_party_id,      -- Id of the party across vendors, customers and clients.
    firm_party,         -- Its name across spellings.
    currency,           -- Currency in which it bills or is billed; null: home.
    is_1099_vendor,     -- BILL's flag to track payments for Form 1099.
    tax_id,             -- Taxpayer's number without separators, where BILL gives one.
    is_archived         -- No longer offered in BILL.
from categorized.party_versions
where known_to = timestamp '9999-12-31'
