-- Every line of every document with the account that counts.
--
-- grain: one row per document line
-- key: document_type, document_id, line_id
-- owner: team:accounting
-- materialize: view
-- follows: document_id
-- columns: categorized.lines
select
    document_id, document_type, line_id, line_no, date, party_id, description, amount, currency,
    account_id,         -- The account that counts; null when a person split the line: transactions has its parts.
    category_source, class_id, department_id, location_id, job_id, item_id, employee_id, is_booked
from categorized.lines
