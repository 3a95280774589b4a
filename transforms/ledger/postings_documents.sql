-- Bill, vendor credit, invoice or credit memo: one side is its lines, tax and rounding, the other its control account.
--
-- A bill debits each line's account and credits accounts payable, a vendor credit the reverse; an
-- invoice debits accounts receivable and credits each line's account and sales tax payable, a credit
-- memo the reverse. Each posts once, at its date: applying a credit moves open amounts only. A line coded
-- to a control account goes to suspense, because control accounts post only from documents.
--
-- grain: one row per posting line
-- key: document_type, document_id, event, line_key
-- owner: team:accounting
-- follows: document_id
-- published: no
-- columns: ledger.postings_in_full
with

documents as (
    select
        'bill' as document_type, bill_id as document_id, version, bill_date as date, document_date,
        vendor_id as party_id, 'payables' as control, true as is_debited, amount, 0 as sales_tax,
        amount_home, currency, is_foreign, description
    from staging.bills where is_booked
    union all by name
    select
        'vendor_credit' as document_type, vendor_credit_id as document_id, version, credit_date as date,
        credit_date as document_date, vendor_id as party_id, 'payables' as control, false as is_debited,
        amount, 0 as sales_tax, amount_home, currency, is_foreign, description
    from staging.vendor_credits where is_booked
    union all by name
    select
        'invoice' as document_type, invoice_id as document_id, version, invoice_date as date, document_date,
        customer_id as party_id, 'receivables' as control, false as is_debited, amount, sales_tax,
        amount_home, currency, is_foreign, description
    from staging.invoices where is_booked
    union all by name
    select
        'credit_memo' as document_type, credit_memo_id as document_id, version, credit_date as date,
        credit_date as document_date, customer_id as party_id, 'receivables' as control, true as is_debited,
        amount, sales_tax, amount_home, currency, is_foreign, description
    from staging.credit_memos where is_booked
),

header_differences as (
    select
        documents.document_type,
        documents.document_id,
        documents.currency,
        documents.amount - documents.sales_tax - coalesce(sum(parts.amount), 0) as difference,
        count(distinct parts.line_id) as line_count
    from documents
    left join categorized.parts as parts
        on parts.document_type = documents.document_type and parts.document_id = documents.document_id
        and parts.is_booked
    group by
        documents.document_type, documents.document_id, documents.amount, documents.sales_tax, documents.currency
),

-- The side of the lines in order: lines, tax, and the difference between header and lines.
lines as (
    select
        document_type, document_id, line_no, line_key, line_id as source_line_id,
        if(list_contains(roles.control_accounts, account_id), roles.suspense, account_id) as account_id,
        amount, class_id, department_id, location_id, job_id, category_source, description
    from categorized.parts
    cross join ledger.role_accounts as roles
    where is_booked
    union all by name
    select
        document_type, document_id, 1000000 as line_no, 'sales_tax' as line_key,
        roles.sales_tax as account_id, documents.sales_tax as amount, 'sales tax' as description
    from documents
    cross join ledger.role_accounts as roles
    where documents.sales_tax <> 0
    union all by name
    select
        document_type, document_id, 1000001 as line_no, 'difference' as line_key,
        -- A cent a line is rounding, or what its currency has for cents; more is never plugged silently.
        if(abs(difference) <= smallest_unit(currency) * line_count, roles.rounding, roles.suspense) as account_id,
        difference as amount, 'header differs from lines' as description
    from header_differences
    cross join ledger.role_accounts as roles
    where difference <> 0
),

lines_home as (
    select
        lines.*, documents.* exclude (document_type, document_id, amount, description),
        if(
            is_foreign and documents.amount = 0,
            round(sum(lines.amount) over so_far, 2) - round(sum(lines.amount) over so_far - lines.amount, 2),
            home_share(is_foreign, amount_home, lines.amount, sum(lines.amount) over so_far, documents.amount)
        ) as line_home
    from lines
    inner join documents using (document_type, document_id)
    window so_far as (
        partition by lines.document_type, lines.document_id order by lines.line_no, lines.line_key
    )
)

select
    document_type, document_id, version, 'entered' as event, line_key, date, document_date, party_id, account_id,
    if(is_debited, line_home, -line_home)::decimal(18, 2) as amount, currency,
    if(is_debited, amount, -amount)::decimal(18, 3) as amount_currency, class_id, department_id, location_id,
    job_id, null::varchar as open_item_id, source_line_id, category_source, description
from lines_home
union all by name
select
    document_type, document_id, version, 'entered' as event, control as line_key, date, document_date, party_id,
    if(control = 'payables', roles.ap_control, roles.ar_control) as account_id,
    if(is_debited, -amount_home, amount_home)::decimal(18, 2) as amount, currency,
    if(is_debited, -amount, amount)::decimal(18, 3) as amount_currency,
    document_id as open_item_id, description
from documents
cross join ledger.role_accounts as roles
