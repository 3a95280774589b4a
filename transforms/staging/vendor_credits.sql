-- Vendor credits as BILL last reported them, typed, with lines and uses still inside.
--
-- grain: one row per vendor credit
-- key: vendor_credit_id
-- owner: team:accounting
-- follows: vendor_credit_id
-- whole: staging.bills
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
            "vendorId": "VARCHAR", "referenceNumber": "VARCHAR", "creditDate": "VARCHAR",
            "description": "VARCHAR", "amount": "VARCHAR", "fundingAmount": "VARCHAR",
            "appliedAmount": "VARCHAR", "status": "VARCHAR", "createdTime": "TIMESTAMPTZ",
            "classifications": "CLASSIFICATIONS",
            "vendorCreditLineItems": [{"id": "VARCHAR", "amount": "VARCHAR",
                "description": "VARCHAR", "classifications": "CLASSIFICATIONS"}],
            "usage": [{"billId": "VARCHAR", "paymentId": "VARCHAR", "amount": "VARCHAR"}]
        }') as d
    from staging.documents_known
    where list = 'vendor_credits'
),

-- BILL's funding amounts are in dollars: they value documents in books kept in dollars only.
worths_given as (
    select
        documents.*, policies.home_currency, coalesce(amount_of(d.amount), 0) as amount,
        coalesce(day_of(d.creditDate), d.createdTime::date, documents.seen_at::date) as credit_date,
        if(policies.home_currency = 'USD', nullif(amount_of(d.fundingAmount), 0), null) as funding_amount,
        parties.currency as currency_known, parties.foreign_currency
    from documents
    cross join staging.policies as policies
    left join staging.document_worths as worths
        on worths.list = 'vendor_credits' and worths.id = documents.id and worths.version = documents.version
    left join staging.party_currencies as parties
        on parties.party_id = documents.d.vendorId
        and coalesce(worths.worth_seen_at, documents.seen_at) >= parties.known_from
        and coalesce(worths.worth_seen_at, documents.seen_at) < parties.known_until
),

credits_by_themselves as (
    select
        *,
        document_currency(home_currency, currency_known, foreign_currency, amount, funding_amount, null) as currency
    from worths_given
),

-- A credit has no rate of its own in BILL: it takes that of the vendor's latest bill in its currency
-- which BILL priced. One whose vendor names no currency is in that bill's.
bill_rates as (
    select
        credits.id,
        arg_max(bills.amount, (bills.bill_date, bills.bill_id)) as bill_amount,
        arg_max(bills.amount_home, (bills.bill_date, bills.bill_id)) as bill_amount_home,
        arg_max(bills.currency, (bills.bill_date, bills.bill_id)) as bill_currency
    from credits_by_themselves as credits
    inner join staging.bills as bills
        on bills.vendor_id = credits.d.vendorId and bills.bill_date <= credits.credit_date
        and (bills.currency = credits.currency or (
            credits.currency = credits.home_currency
            and credits.currency_known is null and not bills.is_currency_known
        ))
    where bills.is_booked and bills.is_rate_given and credits.amount <> 0
    group by credits.id
),

credits as (
    select
        credits.* replace (
            if(currency = home_currency, coalesce(bill_currency, currency), currency) as currency
        ),
        bill_amount, bill_amount_home
    from credits_by_themselves as credits
    left join bill_rates using (id)
)

select
    credits.id as vendor_credit_id,                         -- BILL's id of the credit.
    unreadable_values(
        list_concat([d.amount, d.fundingAmount, d.appliedAmount], list_transform(d.vendorCreditLineItems, lambda line: line.amount)),
        [d.creditDate],
        null::decimal(18, 2), null::decimal(18, 8)
    ) as unreadable,                                        -- Amounts and days that are none, so that it is set aside; null: all can be read.
    doubtful_values(
        list_concat([d.amount], list_transform(d.vendorCreditLineItems, lambda line: line.amount)),
        [d.creditDate], currency
    ) as doubtful,                                          -- What can hardly be meant, in words; null: nothing.
    credits.version,                                        -- Version in the archive.
    credits.seen_at,                                        -- When this version was first seen.
    credits.updated_at,                                     -- BILL's time of last change.
    credits.known_at,                                       -- Until when more may be known of it.
    credits.is_archived,                                    -- Archived credits are reversed.
    d.vendorId as vendor_id,                                -- BILL's id of the vendor.
    d.referenceNumber as credit_number,                     -- The vendor's number.
    credits.credit_date,                                    -- Day it counts for.
    d.description,                                          -- Text on the credit.
    credits.currency,                                       -- The vendor's, as known when BILL gave these amounts; XXX: not known.
    currency <> home_currency as is_foreign,                -- Not in home currency.
    in_currency(amount, currency <> home_currency) as amount,                       -- Total in the credit's currency.
    case
        when currency = home_currency or amount = 0 then amount
        when funding_amount is not null then funding_amount
        when bill_amount is not null then prorated(bill_amount_home, amount, bill_amount)
        else amount
    end::decimal(18, 2) as amount_home,                     -- Total in home currency.
    currency = home_currency or amount = 0 or funding_amount is not null
        as is_home_amount_given,                            -- BILL says what it is worth; 0.00 says nothing.
    in_currency(coalesce(amount_of(d.appliedAmount), 0), currency <> home_currency) as amount_applied,  -- What BILL says is used up.
    coalesce(d.status, 'UNDEFINED') as status,              -- BILL's status of use.
    d.classifications as classifications,                   -- Dimensions for lines that have none.
    d.vendorCreditLineItems as lines,                       -- The lines, typed.
    list_transform(d.usage, lambda used: struct_pack(
        "billId" := used.billId, "paymentId" := used.paymentId, amount := in_currency(amount_of(used.amount), currency <> home_currency)
    )) as usage,                                       -- Bills it was applied to.
    not credits.is_archived and unreadable is null as is_booked                    -- Belongs in the books.
from credits
