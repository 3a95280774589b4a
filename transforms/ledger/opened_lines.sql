-- The lines of the documents that were open when the books begin, with their parts of the rest, as coded.
--
-- The journal opens a document with a line for each of its own lines, on opening balance equity; a
-- coding changed after a close is a difference on the first open day. Documents opened by an earlier
-- release have one line there until their lines were first posted: it is read as those.
--
-- grain: one row per journal line of an opened document and line of that document
-- key: line_id
-- owner: team:accounting
-- named: document_id
-- macro: opened_lines_at(known_at)
with

opened as (
    select
        lines.*, entries.document_date,
        nullif(split_part(lines.line_key, '|', 2), '') as coded_account_id,
        split_part(lines.line_key, '|', 3) as line_of_before
    from ledger.journal_lines as lines
    inner join ledger.journal_entries as entries on entries.entry_id = lines.entry_id
    where lines.event = 'opened' and lines.line_key like 'opening_balance:%'
        and lines.document_type in ('bill', 'vendor_credit', 'invoice', 'credit_memo', 'billing_statement')
),

first_told as (
    select
        *,
        sum(amount) over (partition by document_type, document_id order by line_id) as amount_so_far,
        sum(amount) over (partition by document_type, document_id) as total
    from (
        select *
        from opened
        where coded_account_id is not null
        qualify posted_at = min(posted_at) over (partition by document_type, document_id)
    )
),

coded as (
    select
        line_id, posted_at, date, document_date, document_type, document_id, coded_account_id, party_id,
        class_id, department_id, location_id, job_id, line_of_before, account_id as equity_account_id, amount
    from opened
    where coded_account_id is not null
    union all by name
    select
        opened.line_id || ':' || told.line_of_before as line_id, opened.posted_at, opened.date,
        opened.document_date, opened.document_type, opened.document_id, told.coded_account_id,
        opened.party_id, told.class_id, told.department_id, told.location_id, told.job_id,
        told.line_of_before, opened.account_id as equity_account_id,
        share_of(opened.amount, told.amount, told.amount_so_far, told.total) as amount
    from opened
    inner join first_told as told
        on told.document_type = opened.document_type and told.document_id = opened.document_id
    where opened.coded_account_id is null
)

select
    line_id,                            -- The journal line; with the document's line where it stands for several.
    posted_at,                          -- When it was posted (UTC).
    date,                               -- Day on which the books begin, or first open day of a later change.
    document_date,                      -- Day BILL shows.
    document_type,                      -- bill, vendor_credit, invoice, credit_memo or billing_statement.
    document_id,                        -- BILL's id of the document.
    coded_account_id as account_id,     -- Account that the document's line is coded to.
    party_id,                           -- Vendor or customer.
    class_id,                           -- Accounting class.
    department_id,                      -- Department.
    location_id,                        -- Location.
    job_id,                             -- Job.
    line_of_before = 'sales_tax' as is_tax,  -- Sales tax of the document.
    amount::decimal(18, 2) as amount,   -- Part of the rest, debit positive.
    equity_account_id                   -- Opening balance equity, which the rest is booked against.
from coded
where posted_at <= coalesce(getvariable('known_at'), timestamp '9999-12-31') and amount <> 0
