-- Every line of every document with the account that counts.
--
-- grain: one row per document line
-- key: document_type, document_id, line_id
-- owner: team:accounting
select
    document_id,        -- BILL's id of the document.
    document_type,      -- bill, vendor_credit, invoice or credit_memo.
    line_id,            -- BILL's id of the line, else its position.
    line_no,            -- Position in the document, from 1.
    date,               -- Day the document counts for.
    party_id,           -- Vendor or customer.
    description,        -- Text of the line, else of the document.
    amount,             -- As on the document; negative lines are negative.
    currency,           -- Currency of the amount.
    account_id,         -- The account that counts; null when a person split the line: transactions has its parts.
    category_source,    -- bill, person, rule, model or default.
    class_id,           -- Accounting class.
    department_id,      -- Department.
    location_id,        -- Location.
    job_id,             -- Job.
    item_id,            -- Product or service.
    employee_id,        -- Employee.
    is_booked           -- The document belongs in the books.
from categorized.lines
