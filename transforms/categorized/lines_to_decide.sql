-- Lines that need a decision now: no account in BILL, no person, no answer for these features.
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
    party_id,         -- Vendor or customer.
    party,            -- Its name.
    description,      -- Text of the line, else of the document.
    amount,           -- As on the document.
    currency,         -- Currency of the amount.
    class_id,         -- Accounting class.
    department_id,    -- Department.
    location_id,      -- Location.
    job_id,           -- Job.
    item_id           -- Product or service.
from categorized.lines
where category_source in ('default', 'rule', 'model') and not has_standing_decision and is_booked
