-- Credit memos to customers as BILL last reported them, typed, with lines and uses still inside.
--
-- grain: one row per credit memo
-- key: credit_memo_id
-- owner: team:accounting
-- follows: credit_memo_id
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
            "customerId": "VARCHAR", "referenceNumber": "VARCHAR", "creditDate": "VARCHAR",
            "description": "VARCHAR", "amount": "VARCHAR", "appliedAmount": "VARCHAR",
            "status": "VARCHAR", "salesTaxTotal": "VARCHAR", "exchangeRate": "VARCHAR",
            "createdTime": "TIMESTAMPTZ",
            "classifications": "CLASSIFICATIONS",
            "creditMemoLineItems": [{"id": "VARCHAR", "amount": "VARCHAR",
                "price": "VARCHAR", "quantity": "VARCHAR", "description": "VARCHAR",
                "classifications": "CLASSIFICATIONS"}],
            "usage": [{"invoiceId": "VARCHAR", "amount": "VARCHAR"}]
        }') as d
    from staging.documents_known
    where list = 'credit_memos'
),

-- BILL's rates are dollars per unit: they value documents in books kept in dollars only.
worths_given as (
    select
        documents.*, policies.home_currency, coalesce(amount_of(d.amount), 0) as amount,
        if(policies.home_currency = 'USD', nullif(rate_of(d.exchangeRate), 0), null) as rate,
        parties.currency as currency_known, parties.foreign_currency
    from documents
    cross join staging.policies as policies
    left join staging.document_worths as worths
        on worths.list = 'credit_memos' and worths.id = documents.id and worths.version = documents.version
    left join staging.party_currencies as parties
        on parties.party_id = documents.d.customerId
        and coalesce(worths.worth_seen_at, documents.seen_at) >= parties.known_from
        and coalesce(worths.worth_seen_at, documents.seen_at) < parties.known_until
),

memos as (
    select
        *, document_currency(home_currency, currency_known, foreign_currency, amount, null, rate) as currency
    from worths_given
)

select
    memos.id as credit_memo_id,                         -- BILL's id of the memo.
    unreadable_values(
        list_concat([d.amount, d.exchangeRate, d.appliedAmount, d.salesTaxTotal], flatten(list_transform(d.creditMemoLineItems, lambda line: [line.amount, line.price, line.quantity]))),
        [d.creditDate],
        amount, if(currency = home_currency, null, rate)
    ) as unreadable,                                        -- Amounts and days that are none, so that it is set aside; null: all can be read.
    doubtful_values(
        list_concat([d.amount, d.salesTaxTotal], list_transform(d.creditMemoLineItems, lambda line: line.amount)),
        [d.creditDate], currency
    ) as doubtful,                                          -- What can hardly be meant, in words; null: nothing.
    memos.version,                                      -- Version in the archive.
    memos.seen_at,                                      -- When this version was first seen.
    memos.updated_at,                                   -- BILL's time of last change.
    memos.known_at,                                     -- Until when more may be known of it.
    memos.is_archived,                                  -- Archived memos are reversed.
    d.customerId as customer_id,                            -- BILL's id of the customer.
    d.referenceNumber as credit_number,                     -- The client's own number.
    coalesce(day_of(d.creditDate), d.createdTime::date, memos.seen_at::date) as credit_date,  -- Day it counts for.
    d.description,                                          -- Text on the memo.
    currency,                                               -- The customer's, as known when BILL gave these amounts; XXX: not known.
    currency <> home_currency as is_foreign,                -- Not in home currency.
    in_currency(amount, currency <> home_currency) as amount,                       -- Total with tax, in the memo's currency.
    case
        when currency = home_currency then amount
        -- There is no funding amount; a rate is home currency per unit of the memo's.
        else coalesce(worth_at(amount, rate), amount)
    end::decimal(18, 2) as amount_home,                     -- Total in home currency.
    currency = home_currency or amount = 0 or rate is not null
        as is_home_amount_given,                            -- BILL says what it is worth.
    in_currency(coalesce(amount_of(d.salesTaxTotal), 0), currency <> home_currency) as sales_tax,  -- Tax inside the total.
    in_currency(coalesce(amount_of(d.appliedAmount), 0), currency <> home_currency) as amount_applied,  -- What BILL says is used up.
    coalesce(d.status, 'UNDEFINED') as status,              -- BILL's status of use.
    d.classifications as classifications,                   -- Dimensions for lines that have none.
    d.creditMemoLineItems as lines,                         -- The lines, typed.
    list_transform(d.usage, lambda used: struct_pack(
        "invoiceId" := used.invoiceId, amount := in_currency(amount_of(used.amount), currency <> home_currency)
    )) as usage,                                       -- Invoices it was applied to.
    not memos.is_archived and unreadable is null as is_booked                  -- Belongs in the books.
from memos
