-- Lines that nobody and nothing decided yet: without an answer, or one that a person is asked about.
--
-- grain: one row per document line
-- key: document_type, document_id, line_id
-- owner: team:accounting
-- materialize: view
-- follows: document_id
-- columns: categorized.document_lines
select
    document_type, document_id, line_id,
    features_hash,    -- To be stored with the decision.
    date,
    merged_party_id as party_id,  -- Vendor or customer, one id for all its spellings.
    party,            -- Its name.
    description,
    amount,           -- As on the document.
    currency, class_id, department_id, location_id, job_id, item_id,
    has_standing_decision,  -- The categorizer answered already, and a person is asked.
    answered_model_version, -- The model that answered.
    alternatives      -- What it said, as JSON.
from categorized.lines
where category_source = 'default' and is_booked
