-- Lines whose account a person knows to be right: coded in BILL, corrected, or ruled.
--
-- A line that a person split has no one account, so it teaches nothing; nor does one whose split no
-- longer fits. Nor does one dated before 1990 or more than a year ahead: the year is mistyped.
--
-- grain: one row per document line
-- key: document_type, document_id, line_id
-- owner: team:accounting
-- follows: document_id
-- columns: categorized.document_lines
select
    document_type, document_id, line_id, date,
    merged_party_id as party_id,  -- Vendor or customer, one id for all its spellings.
    party,            -- Its name.
    description,
    amount,           -- As on the document.
    currency, class_id, department_id, location_id, job_id, item_id,
    account_id,       -- The label.
    category_source,  -- bill, person or rule.
    md5_number_lower(concat_ws(
        chr(31), document_type, document_id, line_id, account_id, category_source
    )) as label_key   -- Changes when the line's label does: tells what a model has not learned yet.
from categorized.lines
where category_source in ('bill', 'person', 'rule') and is_booked and parts is null and not needs_review
    -- A mistyped year would make an old habit the newest one, or nothing else recent.
    and date between date '1990-01-01' and getvariable('report_date') + 366
