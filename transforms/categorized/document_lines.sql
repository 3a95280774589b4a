-- Every line of every bill, vendor credit, invoice and credit memo, as BILL coded it.
--
-- grain: one row per document line
-- key: document_type, document_id, line_id
-- owner: team:accounting
-- follows: document_id
with

documents as (
    select
        * exclude (is_foreign, lines),
        list_transform(lines, lambda line, i: struct_pack(
            i := i, id := line.id, amount := in_currency(coalesce(amount_of(line.amount), 0), is_foreign),
            description := line.description, classifications := line.classifications, is_line := line is not null
        )) as lines
    from (
        select
            'bill' as document_type, bill_id as document_id, version, known_at, is_booked, vendor_id as party_id,
            bill_date as date, description, currency, amount, is_foreign, classifications, lines
        from staging.bills
        union all
        select
            'vendor_credit', vendor_credit_id, version, known_at, is_booked, vendor_id, credit_date,
            description, currency, amount, is_foreign, classifications, lines
        from staging.vendor_credits
    )
    union all
    -- BILL gives price and quantity of what was sold, and no amount.
    select
        * exclude (is_foreign, lines),
        list_transform(lines, lambda line, i: struct_pack(
            i := i, id := line.id,
            amount := in_currency(coalesce(
                amount_of(line.amount),
                try_cast(line.price as decimal(19, 6)) * coalesce(try_cast(line.quantity as decimal(19, 6)), 1), 0
            ), is_foreign),
            description := line.description, classifications := line.classifications, is_line := line is not null
        ))
    from (
        select
            'invoice', invoice_id, version, known_at, is_booked, customer_id, invoice_date, description,
            currency, amount - sales_tax, is_foreign, classifications, lines
        from staging.invoices
        union all
        select
            'credit_memo', credit_memo_id, version, known_at, is_booked, customer_id, credit_date, description,
            currency, amount - sales_tax, is_foreign, classifications, lines
        from staging.credit_memos
    )
),

lines as (
    select documents.* exclude (lines), unnest(lines) as line
    from documents
    union all
    -- A document that says its account at the top and has no lines is one line.
    select
        documents.* exclude (lines),
        struct_pack(
            i := 1, id := null, amount := amount, description := null, classifications := classifications,
            is_line := true
        ) as line
    from documents
    where coalesce(len(list_filter(lines, lambda line: line.is_line)), 0) = 0
        and coalesce(classifications.chartOfAccountId, classifications.itemId) is not null
),

-- BILL's ids of lines are unique; if one came twice in a document, both lines must still count.
numbered as (
    select
        *,
        row_number() over (partition by document_type, document_id, line.id order by line.i) as times_seen
    from lines
    -- A null among the lines is no line.
    where line.is_line
)

select
    document_type,                                             -- bill, vendor_credit, invoice or credit_memo.
    document_id,                                               -- BILL's id of the document.
    line_id_of(line.id, times_seen, line.i) as line_id,         -- BILL's id of the line, else its position.
    line.i::integer as line_no,                                -- Position in the document, from 1.
    version,                                                   -- Version of the document in the archive.
    known_at,                                                  -- Until when more may be known of it.
    is_booked,                                                 -- The document belongs in the books.
    date,                                                      -- Day the document counts for.
    party_id,                                                  -- Vendor or customer.
    coalesce(line.description, numbered.description) as description,  -- Text of the line, else of the document.
    line.amount as amount,                                     -- As on the document; negative lines are negative.
    currency,                                                  -- Currency of the amount.
    coalesce(line.classifications.chartOfAccountId, numbered.classifications.chartOfAccountId) as coded_account_id,  -- Account chosen in BILL, if any.
    coalesce(line.classifications.accountingClassId, numbered.classifications.accountingClassId) as class_id,     -- Accounting class.
    coalesce(line.classifications.departmentId, numbered.classifications.departmentId) as department_id,          -- Department.
    coalesce(line.classifications.locationId, numbered.classifications.locationId) as location_id,                -- Location.
    coalesce(line.classifications.jobId, numbered.classifications.jobId) as job_id,                               -- Job.
    coalesce(line.classifications.itemId, numbered.classifications.itemId) as item_id,                            -- Product or service.
    coalesce(line.classifications.employeeId, numbered.classifications.employeeId) as employee_id                 -- Employee.
from numbered
