-- Vendors and customers as BILL last reported them.
--
-- grain: one row per vendor or customer
-- key: party_id
-- owner: team:accounting
select
    party_id,              -- BILL's id; renames and merges never change it.
    party_type,            -- vendor or customer.
    party,                 -- Name as BILL last reported it.
    currency,              -- Currency in which it bills or is billed; null: home.
    is_1099_vendor,        -- BILL's flag to track payments for Form 1099.
    tax_id,                -- Taxpayer's number without separators, where BILL gives one.
    merged_into_party_id,  -- The record into which it was merged in BILL.
    is_archived            -- No longer offered in BILL.
from staging.party_versions
where known_to = timestamp '9999-12-31'
