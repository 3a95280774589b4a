-- Payments from customers as BILL last reported them, typed, with the invoices paid still inside.
--
-- grain: one row per received payment
-- key: received_payment_id
-- owner: team:accounting
with

documents as (
    select
        id,
        version,
        seen_at,
        updated_at,
        is_archived,
        known_at,
        from_json(document, '{
            "customerId": "VARCHAR", "amount": "DECIMAL(18,2)", "unappliedAmount": "DECIMAL(18,2)",
            "convenienceFeeAmount": "DECIMAL(18,2)", "processingFeeAmount": "DECIMAL(18,2)",
            "fundingAmount": "DECIMAL(18,2)", "exchangeRate": "DECIMAL(18,8)",
            "paymentDate": "DATE", "description": "VARCHAR", "referenceNumber": "VARCHAR",
            "onlinePayment": "BOOLEAN", "status": "VARCHAR", "receivablesType": "VARCHAR",
            "createdTime": "TIMESTAMPTZ",
            "receivablesAccount": {"id": "VARCHAR", "type": "VARCHAR"},
            "invoicePayments": [{"invoiceId": "VARCHAR", "amount": "DECIMAL(18,2)",
                "paymentDate": "DATE"}]
        }') as d
    from staging.documents_known
    where list = 'received_payments'
),

receipts as (
    select
        documents.*, policies.home_currency,
        coalesce(parties.currency, policies.home_currency) as currency
    from documents
    cross join staging.policies as policies
    left join staging.parties as parties on parties.party_id = documents.d.customerId
),

-- Where BILL does not say what a foreign receipt brought, it is worth what it pays: no gain, no loss.
invoices_paid as (
    select
        receipts.id, sum(paid.amount) as amount,
        sum(prorated(invoices.amount_home, paid.amount, invoices.amount)) as amount_home
    from (
        select id, unnest(d.invoicePayments) as paid from receipts where currency <> home_currency
    ) as receipts
    inner join staging.invoices as invoices on invoices.invoice_id = receipts.paid.invoiceId
    group by receipts.id
),

-- BILL tells no processing fee; a deposit may show it, or a person may know it.
fees_decided as (
    select documents.id, arg_max(decided.amount, (decided.decided_at, decided.rowid)) as amount
    from decisions.processing_fees as decided
    inner join documents on documents.id = decided.received_payment_id
    where decided.decided_at <= getvariable('as_of') and decided.decided_at <= documents.known_at
    group by documents.id
)

select
    id as received_payment_id,                              -- BILL's id of the receipt.
    version,                                                -- Version in the archive.
    seen_at,                                                -- When this version was first seen.
    updated_at,                                             -- BILL's time of last change.
    d.customerId as customer_id,                            -- BILL's id of the customer.
    d.referenceNumber as receipt_number,                    -- Check number or reference.
    coalesce(d.paymentDate, d.createdTime::date, seen_at::date) as receipt_date,  -- Day the customer paid.
    d.description,                                          -- Text on the receipt.
    currency,                                               -- The customer's currency.
    coalesce(d.amount, 0)::decimal(18, 2) as amount,        -- Paid against invoices or unapplied, in that currency.
    case
        when currency = home_currency then coalesce(d.amount, 0)
        when coalesce(d.fundingAmount, 0) <> 0 then d.fundingAmount
        when coalesce(d.exchangeRate, 0) <> 0 then round(coalesce(d.amount, 0) * d.exchangeRate, 2)
        when invoices_paid.amount <> 0
            then prorated(invoices_paid.amount_home, coalesce(d.amount, 0), invoices_paid.amount)
        else coalesce(d.amount, 0)
    end::decimal(18, 2) as amount_home,                     -- The same in home currency.
    currency = home_currency or coalesce(d.amount, 0) = 0 or coalesce(d.fundingAmount, 0) <> 0
    or coalesce(d.exchangeRate, 0) <> 0
        as is_home_amount_given,                            -- BILL says what it brought; 0.00 says nothing.
    coalesce(d.convenienceFeeAmount, 0)::decimal(18, 2) as convenience_fee,  -- Charged to the customer on top.
    coalesce(d.processingFeeAmount, fees_decided.amount, 0)::decimal(18, 2) as processing_fee,  -- Kept back from the deposit.
    d.processingFeeAmount is not null as is_processing_fee_given,  -- BILL itself tells the fee.
    coalesce(d.onlinePayment, true) as is_online,           -- BILL collected the money itself.
    coalesce(d.receivablesType, 'UNDEFINED') as receipt_type,  -- CASH, CHECK, CREDIT_CARD, ACH …
    d.receivablesAccount.id as deposit_account_id,          -- BILL's id of the account it went to, if said.
    coalesce(d.receivablesAccount.type, 'BANK_ACCOUNT') as deposit_type,  -- BANK_ACCOUNT, or WALLET: BILL holds the money.
    'receipts:' || coalesce(d.receivablesAccount.id, 'default') || ':'
    || coalesce(d.paymentDate, d.createdTime::date, seen_at::date) as transfer_id,  -- The deposit assumed for it where BILL shows none.
    coalesce(d.status, 'UNDEFINED') as status,              -- PAID, SCHEDULED, VOID …
    coalesce(d.invoicePayments, []) as invoice_payments,    -- The invoices it pays, typed.
    not is_archived
    and (coalesce(d.status, '') in ('PAID', 'ESCHEATED', 'CLEARED', 'DEPOSITED')
        or (coalesce(d.status, 'UNDEFINED') = 'UNDEFINED' and not coalesce(d.onlinePayment, true)))
        as is_booked                                        -- Belongs in the books.
from receipts
left join invoices_paid using (id)
left join fees_decided using (id)
