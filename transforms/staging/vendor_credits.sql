-- Vendor credits as BILL last reported them, typed, with lines and uses still inside.
--
-- grain: one row per vendor credit
-- key: vendor_credit_id
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
            "vendorId": "VARCHAR", "referenceNumber": "VARCHAR", "creditDate": "DATE",
            "description": "VARCHAR", "amount": "DECIMAL(18,2)", "fundingAmount": "DECIMAL(18,2)",
            "appliedAmount": "DECIMAL(18,2)", "status": "VARCHAR", "createdTime": "TIMESTAMPTZ",
            "classifications": {"chartOfAccountId": "VARCHAR", "accountingClassId": "VARCHAR", "departmentId": "VARCHAR", "locationId": "VARCHAR",
            "jobId": "VARCHAR", "itemId": "VARCHAR", "employeeId": "VARCHAR", "customerId": "VARCHAR"},
            "vendorCreditLineItems": [{"id": "VARCHAR", "amount": "DECIMAL(18,2)",
                "description": "VARCHAR", "classifications": {"chartOfAccountId": "VARCHAR", "accountingClassId": "VARCHAR", "departmentId": "VARCHAR", "locationId": "VARCHAR",
            "jobId": "VARCHAR", "itemId": "VARCHAR", "employeeId": "VARCHAR", "customerId": "VARCHAR"}}],
            "usage": [{"billId": "VARCHAR", "paymentId": "VARCHAR", "amount": "DECIMAL(18,2)"}]
        }') as d
    from staging.documents_known
    where list = 'vendor_credits'
),

-- A credit has no rate of its own in BILL: it takes that of the vendor's latest bill.
credits as (
    select
        documents.*,
        coalesce(d.creditDate, d.createdTime::date, documents.seen_at::date) as credit_date,
        coalesce(parties.currency, policies.home_currency) as currency,
        policies.home_currency
    from documents
    cross join staging.policies as policies
    left join staging.parties as parties on parties.party_id = documents.d.vendorId
),

bill_rates as (
    select
        credits.id,
        arg_max(bills.amount, (bills.bill_date, bills.bill_id)) as bill_amount,
        arg_max(bills.amount_home, (bills.bill_date, bills.bill_id)) as bill_amount_home
    from credits
    inner join staging.bills as bills
        on bills.vendor_id = credits.d.vendorId and bills.bill_date <= credits.credit_date
    where credits.currency <> credits.home_currency and bills.amount <> 0
    group by credits.id
)

select
    credits.id as vendor_credit_id,                         -- BILL's id of the credit.
    credits.version,                                        -- Version in the archive.
    credits.seen_at,                                        -- When this version was first seen.
    credits.updated_at,                                     -- BILL's time of last change.
    credits.known_at,                                       -- Until when more may be known of it.
    credits.is_archived,                                    -- Archived credits are reversed.
    d.vendorId as vendor_id,                                -- BILL's id of the vendor.
    d.referenceNumber as credit_number,                     -- The vendor's number.
    credits.credit_date,                                    -- Day it counts for.
    d.description,                                          -- Text on the credit.
    credits.currency,                                       -- The vendor's currency.
    coalesce(d.amount, 0)::decimal(18, 2) as amount,        -- Total in the credit's currency.
    case
        when credits.currency = credits.home_currency then coalesce(d.amount, 0)
        when coalesce(d.amount, 0) = 0 then 0
        when d.fundingAmount <> 0 then d.fundingAmount
        when bill_rates.bill_amount is not null
            then prorated(bill_rates.bill_amount_home, coalesce(d.amount, 0), bill_rates.bill_amount)
        else coalesce(d.amount, 0)
    end::decimal(18, 2) as amount_home,                     -- Total in home currency.
    credits.currency = credits.home_currency or coalesce(d.amount, 0) = 0
    or coalesce(d.fundingAmount, 0) <> 0 or bill_rates.bill_amount is not null
        as is_home_amount_given,                            -- BILL says what it is worth, or a bill of the vendor does.
    coalesce(d.appliedAmount, 0)::decimal(18, 2) as amount_applied,  -- What BILL says is used up.
    coalesce(d.status, 'UNDEFINED') as status,              -- BILL's status of use.
    d.classifications as classifications,                   -- Dimensions for lines that have none.
    d.vendorCreditLineItems as lines,                       -- The lines, typed.
    d.usage as usage,                                       -- Bills it was applied to.
    not credits.is_archived as is_booked                    -- Belongs in the books.
from credits
left join bill_rates on bill_rates.id = credits.id
