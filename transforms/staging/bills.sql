-- Bills as BILL last reported them, typed, with their lines still inside.
--
-- grain: one row per bill
-- key: bill_id
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
            "vendorId": "VARCHAR", "vendorName": "VARCHAR", "amount": "DECIMAL(18,2)",
            "fundingAmount": "DECIMAL(18,2)", "exchangeRate": "DECIMAL(18,8)",
            "paidAmount": "DECIMAL(18,2)", "dueAmount": "DECIMAL(18,2)",
            "scheduledAmount": "DECIMAL(18,2)", "creditAmount": "DECIMAL(18,2)",
            "description": "VARCHAR", "dueDate": "DATE", "createdTime": "TIMESTAMPTZ",
            "invoice": {"invoiceNumber": "VARCHAR", "invoiceDate": "DATE"},
            "payFromChartOfAccountId": "VARCHAR", "paymentStatus": "VARCHAR",
            "approvalStatus": "VARCHAR",
            "classifications": {"chartOfAccountId": "VARCHAR", "accountingClassId": "VARCHAR", "departmentId": "VARCHAR", "locationId": "VARCHAR",
            "jobId": "VARCHAR", "itemId": "VARCHAR", "employeeId": "VARCHAR", "customerId": "VARCHAR"},
            "billLineItems": [{"id": "VARCHAR", "amount": "DECIMAL(18,2)", "description": "VARCHAR",
                "classifications": {"chartOfAccountId": "VARCHAR", "accountingClassId": "VARCHAR", "departmentId": "VARCHAR", "locationId": "VARCHAR",
            "jobId": "VARCHAR", "itemId": "VARCHAR", "employeeId": "VARCHAR", "customerId": "VARCHAR"}}]
        }') as d
    from staging.documents_known
    where list = 'bills'
),

-- Only BILL's older interface gives the posting date, so it is a list of its own.
posting_dates as (
    select id, from_json(document, '{"glPostingDate": "DATE"}').glPostingDate as posting_date
    from staging.documents_known
    where list = 'bill_details' and not is_archived
)

select
    documents.id as bill_id,                                -- BILL's id of the bill.
    documents.version,                                      -- Version in the archive.
    documents.seen_at,                                      -- When this version was first seen.
    documents.updated_at,                                   -- BILL's time of last change.
    documents.known_at,                                     -- Until when more may be known of it.
    documents.is_archived,                                  -- Archived bills are reversed.
    d.vendorId as vendor_id,                                -- BILL's id of the vendor.
    d.vendorName as vendor_name,                            -- Vendor's name on the bill.
    d.invoice.invoiceNumber as bill_number,                 -- The vendor's invoice number.
    coalesce(d.invoice.invoiceDate, d.dueDate, d.createdTime::date, documents.seen_at::date)
        as document_date,                                   -- Date on the bill; else due date, else day of entry.
    coalesce(
        posting_dates.posting_date, d.invoice.invoiceDate, d.dueDate, d.createdTime::date,
        documents.seen_at::date
    ) as bill_date,                                         -- Day it counts for: posting date where BILL has one.
    coalesce(d.dueDate, d.invoice.invoiceDate, d.createdTime::date, documents.seen_at::date)
        as due_date,                                        -- Due date; the document date where it is missing.
    d.description,                                          -- Text on the bill.
    coalesce(parties.currency, policies.home_currency) as currency,  -- The vendor's currency.
    coalesce(d.amount, 0)::decimal(18, 2) as amount,        -- Total in the bill's currency.
    case
        when coalesce(parties.currency, policies.home_currency) = policies.home_currency
            then coalesce(d.amount, 0)
        -- Nothing is worth nothing, whatever its funding amount says.
        when coalesce(d.amount, 0) = 0 then 0
        when d.fundingAmount <> 0 then d.fundingAmount
        else round(d.amount * coalesce(d.exchangeRate, 1), 2)
    end::decimal(18, 2) as amount_home,                     -- Total in home currency; BILL's funding amount.
    coalesce(parties.currency, policies.home_currency) = policies.home_currency
    or coalesce(d.amount, 0) = 0 or coalesce(d.fundingAmount, 0) <> 0
        as is_home_amount_given,                            -- BILL says what it is worth; 0.00 says nothing.
    coalesce(d.paidAmount, 0)::decimal(18, 2) as amount_paid,  -- Cleared payments and credits, by BILL.
    d.dueAmount as amount_due,                              -- What BILL says is still to be paid.
    coalesce(d.scheduledAmount, 0)::decimal(18, 2) as amount_scheduled,  -- Payments on their way, by BILL.
    coalesce(d.exchangeRate, 1) as exchange_rate,           -- As given; its direction is not trusted.
    d.payFromChartOfAccountId as pay_from_account_id,       -- Account for payments made outside BILL.
    coalesce(d.paymentStatus, 'UNDEFINED') as payment_status,    -- BILL's status of payment.
    coalesce(d.approvalStatus, 'UNDEFINED') as approval_status,  -- BILL's status of approval.
    d.classifications as classifications,                   -- Dimensions for lines that have none.
    d.billLineItems as lines,                               -- The lines, typed.
    not documents.is_archived
    and coalesce(d.approvalStatus, '') <> 'DENIED'
    and (policies.book_bills_on = 'entry' or d.approvalStatus = 'APPROVED')
        as is_booked                                        -- Belongs in the books under the client's policy.
from documents
cross join staging.policies as policies
left join staging.parties as parties on parties.party_id = documents.d.vendorId
left join posting_dates on posting_dates.id = documents.id
