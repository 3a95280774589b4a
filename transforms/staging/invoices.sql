-- Invoices to customers as BILL last reported them, typed, with their lines still inside.
--
-- grain: one row per invoice
-- key: invoice_id
-- owner: team:accounting
with

documents as (
    select
        id,
        version,
        seen_at,
        updated_at,
        known_at,
        is_archived,
        from_json(document, '{
            "customerId": "VARCHAR", "invoiceNumber": "VARCHAR", "invoiceDate": "DATE",
            "dueDate": "DATE", "totalAmount": "DECIMAL(18,2)", "dueAmount": "DECIMAL(18,2)",
            "exchangeRate": "DECIMAL(18,8)", "status": "VARCHAR", "description": "VARCHAR",
            "salesTaxTotal": "DECIMAL(18,2)", "payToChartOfAccountId": "VARCHAR",
            "glPostingDate": "DATE", "createdTime": "TIMESTAMPTZ",
            "classifications": {"chartOfAccountId": "VARCHAR", "accountingClassId": "VARCHAR", "departmentId": "VARCHAR", "locationId": "VARCHAR",
            "jobId": "VARCHAR", "itemId": "VARCHAR", "employeeId": "VARCHAR", "customerId": "VARCHAR"},
            "invoiceLineItems": [{"id": "VARCHAR", "amount": "DECIMAL(18,2)", "price": "DECIMAL(18,6)",
                "quantity": "DECIMAL(18,6)", "description": "VARCHAR", "classifications": {"chartOfAccountId": "VARCHAR", "accountingClassId": "VARCHAR", "departmentId": "VARCHAR", "locationId": "VARCHAR",
            "jobId": "VARCHAR", "itemId": "VARCHAR", "employeeId": "VARCHAR", "customerId": "VARCHAR"}}]
        }') as d
    from staging.documents_known
    where list = 'invoices'
),

posting_dates as (
    select id, from_json(document, '{"glPostingDate": "DATE"}').glPostingDate as posting_date
    from staging.documents_known
    where list = 'invoice_details' and not is_archived
)

select
    documents.id as invoice_id,                             -- BILL's id of the invoice.
    documents.version,                                      -- Version in the archive.
    documents.seen_at,                                      -- When this version was first seen.
    documents.updated_at,                                   -- BILL's time of last change.
    documents.known_at,                                     -- Until when more may be known of it.
    documents.is_archived,                                  -- Archived invoices are reversed.
    d.customerId as customer_id,                            -- BILL's id of the customer.
    d.invoiceNumber as invoice_number,                      -- The client's own number.
    coalesce(d.invoiceDate, d.dueDate, d.createdTime::date, documents.seen_at::date)
        as document_date,                                   -- Date on the invoice.
    coalesce(
        posting_dates.posting_date, d.glPostingDate, d.invoiceDate, d.dueDate,
        d.createdTime::date, documents.seen_at::date
    ) as invoice_date,                                      -- Day it counts for: posting date where BILL has one.
    coalesce(d.dueDate, d.invoiceDate, d.createdTime::date, documents.seen_at::date)
        as due_date,                                        -- Due date; the document date where it is missing.
    d.description,                                          -- Text on the invoice.
    coalesce(parties.currency, policies.home_currency) as currency,  -- The customer's currency.
    coalesce(d.totalAmount, 0)::decimal(18, 2) as amount,   -- Total with tax, in the invoice's currency.
    case
        when coalesce(parties.currency, policies.home_currency) = policies.home_currency
            then coalesce(d.totalAmount, 0)
        -- Invoices have no funding amount; a rate is home currency per unit of the invoice's.
        else round(coalesce(d.totalAmount, 0) * coalesce(nullif(d.exchangeRate, 0), 1), 2)
    end::decimal(18, 2) as amount_home,                     -- Total in home currency.
    coalesce(parties.currency, policies.home_currency) = policies.home_currency
    or coalesce(d.totalAmount, 0) = 0 or coalesce(d.exchangeRate, 0) <> 0
        as is_home_amount_given,                            -- BILL says what it is worth.
    coalesce(d.salesTaxTotal, 0)::decimal(18, 2) as sales_tax,  -- Tax inside the total.
    d.dueAmount as amount_due,                              -- What BILL says is still to be paid.
    d.payToChartOfAccountId as pay_to_account_id,           -- Account for receipts outside BILL.
    coalesce(d.status, 'UNDEFINED') as status,              -- BILL's status of payment.
    d.classifications as classifications,                   -- Dimensions for lines that have none.
    d.invoiceLineItems as lines,                            -- The lines, typed.
    not documents.is_archived as is_booked                  -- Belongs in the books.
from documents
cross join staging.policies as policies
left join staging.parties as parties on parties.party_id = documents.d.customerId
left join posting_dates on posting_dates.id = documents.id
