-- Bills as BILL last reported them, typed, with their lines still inside.
--
-- grain: one row per bill
-- key: bill_id
-- owner: team:accounting
-- follows: bill_id
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
            "vendorId": "VARCHAR", "vendorName": "VARCHAR", "amount": "VARCHAR",
            "fundingAmount": "VARCHAR", "exchangeRate": "VARCHAR",
            "paidAmount": "VARCHAR", "dueAmount": "VARCHAR",
            "scheduledAmount": "VARCHAR", "creditAmount": "VARCHAR",
            "description": "VARCHAR", "dueDate": "VARCHAR", "createdTime": "TIMESTAMPTZ",
            "invoice": {"invoiceNumber": "VARCHAR", "invoiceDate": "VARCHAR"},
            "payFromChartOfAccountId": "VARCHAR", "paymentStatus": "VARCHAR",
            "approvalStatus": "VARCHAR",
            "classifications": "CLASSIFICATIONS",
            "billLineItems": [{"id": "VARCHAR", "amount": "VARCHAR", "description": "VARCHAR",
                "classifications": "CLASSIFICATIONS"}]
        }') as d
    from staging.documents_known
    where list = 'bills'
),

-- Only BILL's older interface gives the posting date, so it is a list of its own.
posting_dates as (
    select id, day_of(json_extract_string(document, '$.glPostingDate')) as posting_date
    from staging.documents_known
    where list = 'bill_details' and not is_archived
),

-- BILL's funding amounts and rates are in dollars: they value documents in books kept in dollars only.
worths_given as (
    select
        documents.*, policies.home_currency, policies.book_bills_on, coalesce(amount_of(d.amount), 0) as amount,
        if(policies.home_currency = 'USD', nullif(amount_of(d.fundingAmount), 0), null) as funding_amount,
        if(policies.home_currency = 'USD', nullif(rate_of(d.exchangeRate), 0), null) as rate,
        parties.currency as currency_known, parties.foreign_currency
    from documents
    cross join staging.policies as policies
    left join staging.document_worths as worths
        on worths.list = 'bills' and worths.id = documents.id and worths.version = documents.version
    left join staging.party_currencies as parties
        on parties.party_id = documents.d.vendorId
        and coalesce(worths.worth_seen_at, documents.seen_at) >= parties.known_from
        and coalesce(worths.worth_seen_at, documents.seen_at) < parties.known_until
),

bills as (
    select
        *,
        document_currency(home_currency, currency_known, foreign_currency, amount, funding_amount, rate) as currency
    from worths_given
)

select
    bills.id as bill_id,                                -- BILL's id of the bill.
    unreadable_values(
        list_concat([d.amount, d.fundingAmount, d.exchangeRate, d.dueAmount, d.paidAmount, d.scheduledAmount], list_transform(d.billLineItems, lambda line: line.amount)),
        [d.invoice.invoiceDate, d.dueDate],
        amount, if(currency = home_currency or funding_amount is not null, null, rate)
    ) as unreadable,                                        -- Amounts and days that are none, so that it is set aside; null: all can be read.
    doubtful_values(
        list_concat([d.amount], list_transform(d.billLineItems, lambda line: line.amount)),
        [d.invoice.invoiceDate, d.dueDate], currency
    ) as doubtful,                                          -- What can hardly be meant, in words; null: nothing.
    bills.version,                                      -- Version in the archive.
    bills.seen_at,                                      -- When this version was first seen.
    bills.updated_at,                                   -- BILL's time of last change.
    bills.known_at,                                     -- Until when more may be known of it.
    bills.is_archived,                                  -- Archived bills are reversed.
    d.vendorId as vendor_id,                                -- BILL's id of the vendor.
    d.vendorName as vendor_name,                            -- Vendor's name on the bill.
    d.invoice.invoiceNumber as bill_number,                 -- The vendor's invoice number.
    coalesce(day_of(d.invoice.invoiceDate), day_of(d.dueDate), d.createdTime::date, bills.seen_at::date)
        as document_date,                                   -- Date on the bill; else due date, else day of entry.
    coalesce(
        posting_dates.posting_date, day_of(d.invoice.invoiceDate), day_of(d.dueDate), d.createdTime::date,
        bills.seen_at::date
    ) as bill_date,                                         -- Day it counts for: posting date where BILL has one.
    coalesce(day_of(d.dueDate), day_of(d.invoice.invoiceDate), d.createdTime::date, bills.seen_at::date)
        as due_date,                                        -- Due date; the document date where it is missing.
    d.description,                                          -- Text on the bill.
    currency,                                               -- The vendor's, as known when BILL gave these amounts; XXX: not known.
    currency <> home_currency as is_foreign,                -- Not in home currency.
    currency_known is not null as is_currency_known,        -- The vendor names its currency, and it need not be guessed from the amounts.
    in_currency(amount, currency <> home_currency) as amount,                       -- Total in the bill's currency.
    case
        -- A bill of 0.00 is worth 0.00, whatever its funding amount says.
        when currency = home_currency or amount = 0 then amount
        else coalesce(funding_amount, worth_at(amount, rate), amount)
    end::decimal(18, 2) as amount_home,                     -- Total in home currency; BILL's funding amount.
    currency = home_currency or amount = 0 or funding_amount is not null
        as is_home_amount_given,                            -- BILL says what it is worth; 0.00 says nothing.
    currency <> home_currency and amount <> 0 and coalesce(funding_amount, rate) is not null
        as is_rate_given,                                   -- BILL prices it, so documents without a worth may take its rate.
    in_currency(coalesce(amount_of(d.paidAmount), 0), currency <> home_currency) as amount_paid,  -- Cleared payments and credits, by BILL.
    in_currency(amount_of(d.dueAmount), currency <> home_currency) as amount_due,                              -- What BILL says is still to be paid.
    in_currency(coalesce(amount_of(d.scheduledAmount), 0), currency <> home_currency) as amount_scheduled,  -- Payments on their way, by BILL.
    coalesce(rate_of(d.exchangeRate), 1) as exchange_rate,           -- As given; its direction is not trusted.
    d.payFromChartOfAccountId as pay_from_account_id,       -- Account for payments made outside BILL.
    coalesce(d.paymentStatus, 'UNDEFINED') as payment_status,    -- BILL's status of payment.
    coalesce(d.approvalStatus, 'UNDEFINED') as approval_status,  -- BILL's status of approval.
    d.classifications as classifications,                   -- Dimensions for lines that have none.
    d.billLineItems as lines,                               -- The lines, typed.
    not bills.is_archived and unreadable is null
    and coalesce(d.approvalStatus, '') <> 'DENIED'
    and (book_bills_on = 'entry' or d.approvalStatus = 'APPROVED')
        as is_booked                                        -- Belongs in the books under the client's policy.
from bills
left join posting_dates on posting_dates.id = bills.id
