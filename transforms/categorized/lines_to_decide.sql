-- Lines that nobody and nothing decided yet: without an answer, or one that a person is asked about.
--
-- grain: one row per document line
-- key: document_type, document_id, line_id
-- owner: team:accounting
select
    document_type,    -- bill, vendor_credit, invoice or credit_memo.
    document_id,      -- BILL's id of the document.
    line_id,          -- BILL's id of the line, else its position.
    features_hash,    -- To be stored with the decision.
    date,             -- Day the document counts for.
    merged_party_id as party_id,  -- Vendor or customer, one id for all its spellings.
    party,            -- Its name.
    description,      -- Text of the line, else of the document.
    amount,           -- As on the document.
    currency,         -- Currency of the amount.
    class_id,         -- Accounting class.
    department_id,    -- Department.
    location_id,      -- Location.
    job_id,           -- Job.
    item_id,          -- Product or service.
    has_standing_decision,  -- The categorizer answered already, and a person is asked.
    answered_model_version, -- The model that answered.
    alternatives      -- What it said, as JSON.
from categorized.lines
where category_source = 'default' and is_booked
