-- Credit memos to customers as BILL last reported them, typed, with lines and uses still inside.
--
-- grain: one row per credit memo
-- key: credit_memo_id
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
            "customerId": "VARCHAR", "referenceNumber": "VARCHAR", "creditDate": "DATE",
            "description": "VARCHAR", "amount": "DECIMAL(18,2)", "appliedAmount": "DECIMAL(18,2)",
            "status": "VARCHAR", "salesTaxTotal": "DECIMAL(18,2)", "exchangeRate": "DECIMAL(18,8)",
            "createdTime": "TIMESTAMPTZ",
            "classifications": {"chartOfAccountId": "VARCHAR", "accountingClassId": "VARCHAR", "departmentId": "VARCHAR", "locationId": "VARCHAR",
            "jobId": "VARCHAR", "itemId": "VARCHAR", "employeeId": "VARCHAR", "customerId": "VARCHAR"},
            "creditMemoLineItems": [{"id": "VARCHAR", "amount": "DECIMAL(18,2)",
                "price": "DECIMAL(18,6)", "quantity": "DECIMAL(18,6)", "description": "VARCHAR",
                "classifications": {"chartOfAccountId": "VARCHAR", "accountingClassId": "VARCHAR", "departmentId": "VARCHAR", "locationId": "VARCHAR",
            "jobId": "VARCHAR", "itemId": "VARCHAR", "employeeId": "VARCHAR", "customerId": "VARCHAR"}}],
            "usage": [{"invoiceId": "VARCHAR", "amount": "DECIMAL(18,2)"}]
        }') as d
    from staging.documents_known
    where list = 'credit_memos'
)

select
    documents.id as credit_memo_id,                         -- BILL's id of the memo.
    documents.version,                                      -- Version in the archive.
    documents.seen_at,                                      -- When this version was first seen.
    documents.updated_at,                                   -- BILL's time of last change.
    documents.known_at,                                     -- Until when more may be known of it.
    documents.is_archived,                                  -- Archived memos are reversed.
    d.customerId as customer_id,                            -- BILL's id of the customer.
    d.referenceNumber as credit_number,                     -- The client's own number.
    coalesce(d.creditDate, d.createdTime::date, documents.seen_at::date) as credit_date,  -- Day it counts for.
    d.description,                                          -- Text on the memo.
    coalesce(parties.currency, policies.home_currency) as currency,  -- The customer's currency.
    coalesce(d.amount, 0)::decimal(18, 2) as amount,        -- Total with tax, in the memo's currency.
    case
        when coalesce(parties.currency, policies.home_currency) = policies.home_currency
            then coalesce(d.amount, 0)
        else round(coalesce(d.amount, 0) * coalesce(nullif(d.exchangeRate, 0), 1), 2)
    end::decimal(18, 2) as amount_home,                     -- Total in home currency.
    coalesce(parties.currency, policies.home_currency) = policies.home_currency
    or coalesce(d.amount, 0) = 0 or coalesce(d.exchangeRate, 0) <> 0
        as is_home_amount_given,                            -- BILL says what it is worth.
    coalesce(d.salesTaxTotal, 0)::decimal(18, 2) as sales_tax,  -- Tax inside the total.
    coalesce(d.appliedAmount, 0)::decimal(18, 2) as amount_applied,  -- What BILL says is used up.
    coalesce(d.status, 'UNDEFINED') as status,              -- BILL's status of use.
    d.classifications as classifications,                   -- Dimensions for lines that have none.
    d.creditMemoLineItems as lines,                         -- The lines, typed.
    d.usage as usage,                                       -- Invoices it was applied to.
    not documents.is_archived as is_booked                  -- Belongs in the books.
from documents
cross join staging.policies as policies
left join staging.parties as parties on parties.party_id = documents.d.customerId
