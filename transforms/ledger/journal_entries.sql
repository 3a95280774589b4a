-- The journal: every entry ever posted, never changed, never deleted.
--
-- grain: one row per entry
-- key: entry_id
-- owner: team:accounting
-- follows: document_id
-- materialize: append
select
    entry_id,           -- Hash of organization, document, event and ordinal.
    document_type,      -- Kind of BILL document.
    document_id,        -- BILL's id of the document.
    document_version,   -- Version of the document that made it necessary.
    event,              -- What happened: entered, paid, applied:…, moved …
    ordinal,            -- 1, 2, 3 … among the entries of this event.
    entry_kind,         -- posting, reversal or late_adjustment.
    date,               -- Day it counts for.
    document_date,      -- Day BILL shows.
    original_date,      -- Day it would count for if no period were closed.
    party_id,           -- Vendor or customer.
    description,        -- Text for people.
    posted_at,          -- When the books learnt it; never changes afterwards.
    reverses_entry_id,  -- The entry it takes back, for a reversal.
    adjusts_entry_id,   -- The closed entry it adds to, for a late adjustment.
    cause               -- Why it was posted: new document, changed document, decision, posting rules changed, clock put right, setting or reopening; not recorded before causes were.
from ledger.entries_new
inner join ledger.entry_causes using (entry_id)
