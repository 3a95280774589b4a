-- Payments from customers as BILL last reported them, typed, with the invoices paid still inside.
--
-- grain: one row per received payment
-- key: received_payment_id
-- owner: team:accounting
-- follows: received_payment_id
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
            "customerId": "VARCHAR", "amount": "VARCHAR", "unappliedAmount": "VARCHAR",
            "convenienceFeeAmount": "VARCHAR", "processingFeeAmount": "VARCHAR",
            "fundingAmount": "VARCHAR", "exchangeRate": "VARCHAR",
            "paymentDate": "VARCHAR", "description": "VARCHAR", "referenceNumber": "VARCHAR",
            "onlinePayment": "BOOLEAN", "status": "VARCHAR", "receivablesType": "VARCHAR",
            "createdTime": "TIMESTAMPTZ",
            "receivablesAccount": {"id": "VARCHAR", "type": "VARCHAR"},
            "invoicePayments": [{"invoiceId": "VARCHAR", "amount": "VARCHAR",
                "paymentDate": "VARCHAR"}]
        }') as d
    from staging.documents_known
    where list = 'received_payments'
),

receipts as (
    select
        documents.*, policies.home_currency, coalesce(amount_of(d.amount), 0) as amount,
        -- In dollars, so of use in books kept in dollars only.
        if(policies.home_currency = 'USD', nullif(amount_of(d.fundingAmount), 0), null) as funding_amount,
        if(policies.home_currency = 'USD', nullif(rate_of(d.exchangeRate), 0), null) as rate,
        parties.currency as currency_known, parties.foreign_currency, coalesce(parties.was_foreign, false) as was_foreign
    from documents
    cross join staging.policies as policies
    left join staging.document_worths as worths
        on worths.list = 'received_payments' and worths.id = documents.id and worths.version = documents.version
    left join staging.party_currencies as parties
        on parties.party_id = documents.d.customerId
        and coalesce(worths.worth_seen_at, documents.seen_at) >= parties.known_from
        and coalesce(worths.worth_seen_at, documents.seen_at) < parties.known_until
),

-- Where BILL does not say what a foreign receipt brought, it is worth what it pays: no gain, no loss.
invoices_paid as (
    select
        receipts.id, sum(receipts.amount) as amount_paid,
        sum(prorated(invoices.amount_home, receipts.amount, invoices.amount)) as amount_paid_home,
        if(count(distinct invoices.currency) = 1, min(invoices.currency), null) as currency_paid
    from (
        select id, paid.invoiceId as invoice_id, amount_of(paid.amount) as amount
        from (select id, unnest(d.invoicePayments) as paid from receipts)
    ) as receipts
    inner join staging.invoices as invoices on invoices.invoice_id = receipts.invoice_id
    group by receipts.id
),

-- A receipt is in the currency of the invoices it pays, unless they are in home currency and it says
-- that it brought another amount.
receipts_in_currency as (
    select
        receipts.*, invoices_paid.amount_paid, invoices_paid.amount_paid_home,
        case
            when invoices_paid.currency_paid <> home_currency or is_as_shown
                then coalesce(invoices_paid.currency_paid, currency_by_itself)
            else currency_by_itself
        end as currency
    from (
        select
            *,
            coalesce(funding_amount = amount, rate = 1, true) as is_as_shown,
            document_currency(
                home_currency, currency_known, foreign_currency, amount, funding_amount, rate
            ) as currency_by_itself
        from receipts
    ) as receipts
    left join invoices_paid using (id)
),

-- BILL tells no processing fee; a deposit may show it, or a person may know it.
fees_decided as (
    select documents.id, last_decided(decided.amount, decided.decided_at, decided.rowid) as fee_decided
    from decisions.processing_fees as decided
    inner join documents on documents.id = decided.received_payment_id
    where decided.decided_at <= getvariable('as_of') and decided.decided_at <= documents.known_at
    group by documents.id
)

select
    id as received_payment_id,                              -- BILL's id of the receipt.
    unreadable_values(
        list_concat([d.amount, d.fundingAmount, d.exchangeRate, d.unappliedAmount, d.convenienceFeeAmount, d.processingFeeAmount], list_transform(d.invoicePayments, lambda paid: paid.amount)),
        list_concat([d.paymentDate], list_transform(d.invoicePayments, lambda paid: paid.paymentDate)),
        amount, if(currency = home_currency or funding_amount is not null, null, rate)
    ) as unreadable,                                        -- Amounts and days that are none, so that it is set aside; null: all can be read.
    doubtful_values(
        list_concat([d.amount], list_transform(d.invoicePayments, lambda paid: paid.amount)),
        list_concat([d.paymentDate], list_transform(d.invoicePayments, lambda paid: paid.paymentDate)), currency
    ) as doubtful,                                          -- What can hardly be meant, in words; null: nothing.
    version,                                                -- Version in the archive.
    seen_at,                                                -- When this version was first seen.
    updated_at,                                             -- BILL's time of last change.
    d.customerId as customer_id,                            -- BILL's id of the customer.
    d.referenceNumber as receipt_number,                    -- Check number or reference.
    coalesce(day_of(d.paymentDate), d.createdTime::date, seen_at::date) as receipt_date,  -- Day the customer paid.
    d.description,                                          -- Text on the receipt.
    currency,                                               -- Of the invoices it pays, else the customer's as known when BILL gave these amounts; XXX: not known.
    currency <> home_currency as is_foreign,                -- Not in home currency.
    in_currency(amount, currency <> home_currency) as amount,                       -- Paid against invoices or unapplied, in that currency.
    case
        when currency = home_currency then amount
        when coalesce(funding_amount, rate) is not null then coalesce(funding_amount, worth_at(amount, rate), amount)
        when amount_paid <> 0 then prorated(amount_paid_home, amount, amount_paid)
        else amount
    end::decimal(18, 2) as amount_home,                     -- The same in home currency.
    currency = home_currency or amount = 0 or coalesce(funding_amount, rate) is not null
        as is_home_amount_given,                            -- BILL says what it brought; 0.00 says nothing.
    -- By the receipt and its customer alone: what it pays is told in other documents.
    case
        when amount = 0 then 0
        when coalesce(funding_amount, rate) is not null then coalesce(funding_amount, worth_at(amount, rate), amount)
        when not was_foreign then amount
    end::decimal(18, 2) as amount_deposited,                -- What is assumed to have reached the bank, fees aside, where BILL shows no deposit; null: BILL does not say.
    coalesce(amount_of(d.convenienceFeeAmount), 0)::decimal(18, 2) as convenience_fee,  -- Charged to the customer on top.
    coalesce(amount_of(d.processingFeeAmount), fee_decided, 0)::decimal(18, 2) as processing_fee,  -- Kept back from the deposit.
    amount_of(d.processingFeeAmount) is not null as is_processing_fee_given,  -- BILL itself tells the fee.
    coalesce(d.onlinePayment, true) as is_online,           -- BILL collected the money itself.
    coalesce(d.receivablesType, 'UNDEFINED') as receipt_type,  -- CASH, CHECK, CREDIT_CARD, ACH …
    d.receivablesAccount.id as deposit_account_id,          -- BILL's id of the account it went to, if said.
    coalesce(d.receivablesAccount.type, 'BANK_ACCOUNT') as deposit_type,  -- BANK_ACCOUNT, or WALLET: BILL holds the money.
    'receipts:' || coalesce(d.receivablesAccount.id, 'default') || ':'
    || coalesce(day_of(d.paymentDate), d.createdTime::date, seen_at::date) as transfer_id,  -- The deposit assumed for it where BILL shows none.
    coalesce(d.status, 'UNDEFINED') as status,              -- PAID, SCHEDULED, VOID …
    coalesce(list_transform(d.invoicePayments, lambda paid: struct_pack(
        "invoiceId" := paid.invoiceId, amount := in_currency(amount_of(paid.amount), currency <> home_currency), "paymentDate" := day_of(paid.paymentDate)
    )), []) as invoice_payments,    -- The invoices it pays, typed.
    not is_archived and unreadable is null
    and (coalesce(d.status, '') in ('PAID', 'ESCHEATED', 'CLEARED', 'DEPOSITED')
        or (coalesce(d.status, 'UNDEFINED') = 'UNDEFINED' and not coalesce(d.onlinePayment, true)))
        as is_booked                                        -- Belongs in the books.
from receipts_in_currency as receipts
left join fees_decided using (id)
