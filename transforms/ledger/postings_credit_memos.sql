-- Credit memo: debit each line's account and sales tax payable, credit accounts receivable.
--
-- A line coded to a control account goes to suspense, because control accounts post only from
-- documents.
--
-- grain: one row per posting line
-- key: document_type, document_id, event, line_key
-- owner: team:accounting
-- published: no
with

documents as (
    select * from staging.credit_memos where is_booked
),

document_lines as (
    select * from categorized.parts where document_type = 'credit_memo' and is_booked
),

header_differences as (
    select
        documents.credit_memo_id,
        documents.currency,
        documents.amount - documents.sales_tax - coalesce(sum(document_lines.amount), 0) as difference,
        count(distinct document_lines.line_id) as line_count
    from documents
    left join document_lines on document_lines.document_id = documents.credit_memo_id
    group by documents.credit_memo_id, documents.amount, documents.sales_tax, documents.currency
),

-- The income side in order: lines, tax, and the difference between header and lines.
income_lines as (
    select
        document_id as credit_memo_id,
        line_no,
        line_key,
        line_id as source_line_id,
        if(list_contains(roles.control_accounts, account_id), roles.suspense, account_id) as account_id,
        amount,
        class_id, department_id, location_id, job_id, category_source, description
    from document_lines
    cross join ledger.role_accounts as roles
    union all
    select credit_memo_id, 1000000, 'sales_tax', null, roles.sales_tax, documents.sales_tax, null, null, null, null, null, 'sales tax'
    from documents
    cross join ledger.role_accounts as roles
    where documents.sales_tax <> 0
    union all
    select
        credit_memo_id,
        1000001,
        'difference',
        null,
        -- A cent a line is rounding, or what its currency has for cents; more is never plugged silently.
        if(abs(difference) <= smallest_unit(currency) * line_count, roles.rounding, roles.suspense),
        difference,
        null, null, null, null, null,
        'header differs from lines'
    from header_differences
    cross join ledger.role_accounts as roles
    where difference <> 0
),

-- Foreign documents: each line takes its part of the running total, so they add up to the cent.
income_lines_home as (
    select
        income_lines.*,
        case
            when not documents.is_foreign then income_lines.amount
            when documents.amount = 0 then
                round(sum(income_lines.amount) over so_far, 2) - round(sum(income_lines.amount) over so_far - income_lines.amount, 2)
            else
                prorated(documents.amount_home, sum(income_lines.amount) over so_far, documents.amount)
                - prorated(
                    documents.amount_home, sum(income_lines.amount) over so_far - income_lines.amount,
                    documents.amount
                )
        end as amount_home
    from income_lines
    inner join documents using (credit_memo_id)
    window so_far as (partition by income_lines.credit_memo_id order by income_lines.line_no, income_lines.line_key)
),

postings as (
    select
        'credit_memo' as document_type, credit_memo_id as document_id, version, 'entered' as event, line_key,
        credit_date as date, credit_date as document_date, customer_id as party_id, account_id,
        income_lines_home.amount_home as amount, currency,
        income_lines_home.amount as amount_currency,
        class_id, department_id, location_id, job_id, null::varchar as open_item_id, source_line_id,
        category_source, income_lines_home.description
    from income_lines_home
    inner join documents using (credit_memo_id)
    union all by name
    select
        'credit_memo' as document_type, credit_memo_id as document_id, version, 'entered' as event,
        'receivables' as line_key, credit_date as date, credit_date as document_date, customer_id as party_id,
        roles.ar_control as account_id, -amount_home as amount, currency, -amount as amount_currency,
        credit_memo_id as open_item_id, description
    from documents
    cross join ledger.role_accounts as roles
)

select
    document_type,                        -- Kind of BILL document.
    document_id,                          -- BILL's id of the document.
    version,                              -- Version of the document in the archive.
    event,                                -- What happened to it; one entry per event.
    line_key,                             -- Tells the entry's lines apart; the line's id where it has one.
    date,                                 -- Day it counts for.
    document_date,                        -- Day BILL shows.
    party_id,                             -- Vendor or customer.
    account_id,                           -- Account debited (+) or credited (-).
    amount::decimal(18, 2) as amount,     -- Home currency, debit positive.
    currency,                             -- Currency of the document.
    amount_currency::decimal(18, 3) as amount_currency,  -- The same in the document's currency.
    class_id,                             -- Accounting class.
    department_id,                        -- Department.
    location_id,                          -- Location.
    job_id,                               -- Job.
    open_item_id,                         -- Document that this opens or settles, on control and clearing accounts.
    source_line_id,                       -- BILL's line it came from, if any.
    category_source,                      -- Who chose the account: bill, person, rule, model, default; null for a role.
    description                           -- Text for people.
from postings
where amount <> 0 or amount_currency <> 0
