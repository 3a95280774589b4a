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
    coalesce(parties.currency, policies.home_currency) as currency,  -- The customer's currency.
    coalesce(d.amount, 0)::decimal(18, 2) as amount,        -- Paid against invoices or unapplied, in that currency.
    case
        when coalesce(parties.currency, policies.home_currency) = policies.home_currency
            then coalesce(d.amount, 0)
        else coalesce(
            nullif(d.fundingAmount, 0),
            round(coalesce(d.amount, 0) * coalesce(nullif(d.exchangeRate, 0), 1), 2)
        )
    end::decimal(18, 2) as amount_home,                     -- The same in home currency.
    coalesce(d.convenienceFeeAmount, 0)::decimal(18, 2) as convenience_fee,  -- Charged to the customer on top.
    coalesce(d.processingFeeAmount, 0)::decimal(18, 2) as processing_fee,    -- Kept back from the deposit.
    coalesce(d.onlinePayment, true) as is_online,           -- BILL collected the money itself.
    coalesce(d.receivablesType, 'UNDEFINED') as receipt_type,  -- CASH, CHECK, CREDIT_CARD, ACH …
    d.receivablesAccount.id as deposit_account_id,          -- BILL's id of the account it went to, if said.
    'receipts:' || coalesce(d.receivablesAccount.id, 'default') || ':'
    || coalesce(d.paymentDate, d.createdTime::date, seen_at::date) as transfer_id,  -- The deposit assumed for it where BILL shows none.
    coalesce(d.status, 'UNDEFINED') as status,              -- PAID, SCHEDULED, VOID …
    coalesce(d.invoicePayments, []) as invoice_payments,    -- The invoices it pays, typed.
    not documents.is_archived
    and (coalesce(d.status, '') in ('PAID', 'ESCHEATED', 'CLEARED', 'DEPOSITED')
        or (coalesce(d.status, 'UNDEFINED') = 'UNDEFINED' and not coalesce(d.onlinePayment, true)))
        as is_booked                                        -- Belongs in the books.
from documents
cross join staging.policies as policies
left join staging.parties as parties on parties.party_id = documents.d.customerId
