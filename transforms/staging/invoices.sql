-- Invoices to customers as BILL last reported them, typed, with their lines still inside.
--
-- grain: one row per invoice
-- key: invoice_id
-- owner: team:accounting
-- follows: invoice_id
with

documents as (
    select
        id,
        version,
        seen_at,
        updated_at,
        known_at,
        is_archived,
        document_as(document, '{
            "customerId": "VARCHAR", "invoiceNumber": "VARCHAR", "invoiceDate": "VARCHAR",
            "dueDate": "VARCHAR", "totalAmount": "VARCHAR", "dueAmount": "VARCHAR", "scheduledAmount": "VARCHAR",
            "exchangeRate": "VARCHAR", "status": "VARCHAR", "description": "VARCHAR",
            "salesTaxTotal": "VARCHAR", "payToChartOfAccountId": "VARCHAR",
            "glPostingDate": "VARCHAR", "createdTime": "TIMESTAMPTZ",
            "classifications": "CLASSIFICATIONS",
            "invoiceLineItems": [{"id": "VARCHAR", "amount": "VARCHAR", "price": "VARCHAR",
                "quantity": "VARCHAR", "description": "VARCHAR", "classifications": "CLASSIFICATIONS"}]
        }') as d
    from staging.documents_known
    where list = 'invoices'
),

posting_dates as (
    select id, day_of(json_extract_string(document, '$.glPostingDate')) as posting_date
    from staging.documents_known
    where list = 'invoice_details' and not is_archived
),

-- BILL's rates are dollars per unit: they value documents in books kept in dollars only.
worths_given as (
    select
        documents.*, policies.home_currency, coalesce(amount_of(d.totalAmount), 0) as amount,
        if(policies.home_currency = 'USD', nullif(rate_of(d.exchangeRate), 0), null) as rate,
        parties.currency as currency_known, parties.foreign_currency
    from documents
    cross join staging.policies as policies
    left join staging.document_worths as worths
        on worths.list = 'invoices' and worths.id = documents.id and worths.version = documents.version
    left join staging.party_currencies as parties
        on parties.party_id = documents.d.customerId
        and coalesce(worths.worth_seen_at, documents.seen_at) >= parties.known_from
        and coalesce(worths.worth_seen_at, documents.seen_at) < parties.known_until
),

invoices as (
    select
        *, document_currency(home_currency, currency_known, foreign_currency, amount, null, rate) as currency
    from worths_given
)

select
    invoices.id as invoice_id,                             -- BILL's id of the invoice.
    unreadable_values(
        list_concat([d.totalAmount, d.exchangeRate, d.dueAmount, d.salesTaxTotal], flatten(list_transform(d.invoiceLineItems, lambda line: [line.amount, line.price, line.quantity]))),
        [d.invoiceDate, d.dueDate, d.glPostingDate],
        amount, if(currency = home_currency, null, rate)
    ) as unreadable,                                        -- Amounts and days that are none, so that it is set aside; null: all can be read.
    doubtful_values(
        list_concat([d.totalAmount, d.salesTaxTotal], list_transform(d.invoiceLineItems, lambda line: line.amount)),
        [d.invoiceDate, d.dueDate, d.glPostingDate], currency
    ) as doubtful,                                          -- What can hardly be meant, in words; null: nothing.
    invoices.version,                                      -- Version in the archive.
    invoices.seen_at,                                      -- When this version was first seen.
    invoices.updated_at,                                   -- BILL's time of last change.
    invoices.known_at,                                     -- Until when more may be known of it.
    invoices.is_archived,                                  -- Archived invoices are reversed.
    d.customerId as customer_id,                            -- BILL's id of the customer.
    d.invoiceNumber as invoice_number,                      -- The client's own number.
    coalesce(day_of(d.invoiceDate), day_of(d.dueDate), d.createdTime::date, invoices.seen_at::date)
        as document_date,                                   -- Date on the invoice.
    coalesce(
        posting_dates.posting_date, day_of(d.glPostingDate), day_of(d.invoiceDate), day_of(d.dueDate),
        d.createdTime::date, invoices.seen_at::date
    ) as invoice_date,                                      -- Day it counts for: posting date where BILL has one.
    coalesce(day_of(d.dueDate), day_of(d.invoiceDate), d.createdTime::date, invoices.seen_at::date)
        as due_date,                                        -- Due date; the document date where it is missing.
    d.description,                                          -- Text on the invoice.
    currency,                                               -- The customer's, as known when BILL gave these amounts; XXX: not known.
    currency <> home_currency as is_foreign,                -- Not in home currency.
    in_currency(amount, currency <> home_currency) as amount,                       -- Total with tax, in the invoice's currency.
    case
        when currency = home_currency then amount
        -- There is no funding amount; a rate is home currency per unit of the invoice's.
        else coalesce(worth_at(amount, rate), amount)
    end::decimal(18, 2) as amount_home,                     -- Total in home currency.
    currency = home_currency or amount = 0 or rate is not null
        as is_home_amount_given,                            -- BILL says what it is worth.
    in_currency(coalesce(amount_of(d.salesTaxTotal), 0), currency <> home_currency) as sales_tax,  -- Tax inside the total.
    in_currency(
        amount_of(d.dueAmount) + coalesce(amount_of(d.scheduledAmount), 0), currency <> home_currency
    ) as amount_due,                                        -- What BILL says is still to be paid, receipts scheduled and not started added back.
    d.payToChartOfAccountId as pay_to_account_id,           -- Account for receipts outside BILL.
    coalesce(d.status, 'UNDEFINED') as status,              -- BILL's status of payment.
    d.classifications as classifications,                   -- Dimensions for lines that have none.
    d.invoiceLineItems as lines,                            -- The lines, typed.
    not invoices.is_archived and unreadable is null as is_booked                  -- Belongs in the books.
from invoices
left join posting_dates on posting_dates.id = invoices.id
