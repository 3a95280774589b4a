-- Every payment, credit or write-off that settles a bill or an invoice, in the order it counts.
--
-- The home amount is telescoped: rounded from the running total, so that the last settlement of a
-- document leaves exactly nothing, whatever the exchange rate.
--
-- grain: one row per settling document, settled document and settlement key
-- key: settling_type, settling_id, settlement_key
-- owner: team:accounting
-- follows: settled_id
-- published: no
with

bills_paid as (
    select
        payment_id,
        payment_date,
        unnest(bill_payments) as paid,
        generate_subscripts(bill_payments, 1) as position
    from staging.payments
    where is_booked
),

payment_settlements as (
    select
        'bill' as settled_type,
        bills_paid.paid.billId as settled_id,
        'payment' as settling_type,
        payment_id as settling_id,
        if(
            row_number() over (partition by payment_id, bills_paid.paid.id order by position) = 1
            and bills_paid.paid.id is not null,
            bills_paid.paid.id,
            coalesce(bills_paid.paid.id || ':', 'bill-') || position
        ) as settlement_key,
        payment_date as settling_date,
        -- A payment dated before its bill settles it on the bill's day.
        greatest(payment_date, bills.bill_date) as date,
        coalesce(bills_paid.paid.amount, 0) as amount
    from bills_paid
    inner join staging.bills as bills on bills.bill_id = bills_paid.paid.billId and bills.is_booked
),

-- The same use of a credit is told twice: by the credit, and by the payment that took it along.
uses_by_credit as (
    select
        vendor_credit_id,
        used.billId as bill_id,
        used.paymentId as payment_id,
        used.paymentId || ':' || used.billId as settlement_key,
        sum(coalesce(used.amount, 0)) as amount,
        null::date as since_date
    from (select vendor_credit_id, unnest(usage) as used from staging.vendor_credits where is_booked)
    where used.paymentId is not null
    group by all
    union all by name
    select
        id as vendor_credit_id, applied_to_id as bill_id,
        'to-' || applied_to_id || if(since_version = 1, '', '-' || since_version) as settlement_key,
        amount, since_date
    from staging.applications
    where list = 'vendor_credits'
),

uses_by_payment as (
    select
        credit.id as vendor_credit_id,
        taken.bill_id,
        payment_id,
        payment_id || ':' || taken.bill_id as settlement_key,
        sum(credit.amount) as amount
    from (
        select payment_id, paid.billId as bill_id, unnest(paid.vendorCredits) as credit
        from (select payment_id, unnest(bill_payments) as paid from staging.payments)
    ) as taken
    -- A use that the credit tells without its payment is the same use.
    anti join (
        select vendor_credit_id, bill_id from uses_by_credit where payment_id is null
    ) as told on told.vendor_credit_id = credit.id and told.bill_id = taken.bill_id
    group by all
),

credit_settlements as (
    select
        'bill' as settled_type,
        coalesce(uses_by_credit.bill_id, uses_by_payment.bill_id) as settled_id,
        'vendor_credit' as settling_type,
        credits.vendor_credit_id as settling_id,
        coalesce(uses_by_credit.settlement_key, uses_by_payment.settlement_key) as settlement_key,
        greatest(
            credits.credit_date,
            coalesce(payments.payment_date, uses_by_credit.since_date, credits.credit_date)
        ) as settling_date,
        greatest(settling_date, bills.bill_date) as date,
        coalesce(uses_by_credit.amount, uses_by_payment.amount, 0) as amount
    from uses_by_credit
    full join uses_by_payment using (vendor_credit_id, settlement_key)
    inner join staging.vendor_credits as credits
        on credits.vendor_credit_id = coalesce(uses_by_credit.vendor_credit_id, uses_by_payment.vendor_credit_id)
        and credits.is_booked
    inner join staging.bills as bills
        on bills.bill_id = coalesce(uses_by_credit.bill_id, uses_by_payment.bill_id) and bills.is_booked
    left join staging.payments as payments
        on payments.payment_id = coalesce(uses_by_credit.payment_id, uses_by_payment.payment_id)
    -- A use whose payment is scheduled or void has not happened.
    where coalesce(payments.is_booked, true)
),

-- BILL's own day of an application counts where it lies after the receipt's; else one that came
-- with the receipt is of its day, and one that came later of the day on which it came.
receipt_settlements as (
    select
        'invoice' as settled_type,
        applied.applied_to_id as settled_id,
        'received_payment' as settling_type,
        receipts.received_payment_id as settling_id,
        concat_ws(
            '-', 'to', applied.applied_to_id, if(applied.since_version = 1, null, applied.since_version),
            if(applied.given_date = receipts.receipt_date, null, applied.given_date)
        ) as settlement_key,
        receipts.receipt_date as settling_date,
        greatest(
            receipts.receipt_date, invoices.invoice_date,
            case
                when applied.given_date > receipts.receipt_date then applied.given_date
                when not applied.was_there_from_the_start then applied.since_date
            end
        ) as date,
        applied.amount
    from staging.applications as applied
    inner join staging.received_payments as receipts
        on applied.list = 'received_payments' and receipts.received_payment_id = applied.id and receipts.is_booked
    inner join staging.invoices as invoices
        on invoices.invoice_id = applied.applied_to_id and invoices.is_booked
),

memo_settlements as (
    select
        'invoice' as settled_type,
        applied.applied_to_id as settled_id,
        'credit_memo' as settling_type,
        memos.credit_memo_id as settling_id,
        'to-' || applied.applied_to_id || if(applied.since_version = 1, '', '-' || applied.since_version) as settlement_key,
        greatest(memos.credit_date, applied.since_date) as settling_date,
        greatest(settling_date, invoices.invoice_date) as date,
        applied.amount
    from staging.applications as applied
    inner join staging.credit_memos as memos
        on applied.list = 'credit_memos' and memos.credit_memo_id = applied.id and memos.is_booked
    inner join staging.invoices as invoices
        on invoices.invoice_id = applied.applied_to_id and invoices.is_booked
),

write_offs as (
    select
        'invoice' as settled_type,
        decided.invoice_id as settled_id,
        'invoice' as settling_type,
        decided.invoice_id as settling_id,
        'write-off' as settlement_key,
        greatest(
            last_decided(decided.write_off_date, decided.decided_at, decided.rowid), invoices.invoice_date
        ) as date,
        last_decided(decided.amount, decided.decided_at, decided.rowid) as amount
    from decisions.write_offs as decided
    inner join staging.invoices as invoices
        on invoices.invoice_id = decided.invoice_id and invoices.is_booked
    where decided.decided_at <= getvariable('as_of') and decided.decided_at <= invoices.known_at
    group by decided.invoice_id, invoices.invoice_date
),

settlements as (
    select * from payment_settlements
    union all by name
    select * from credit_settlements
    union all by name
    select * from receipt_settlements
    union all by name
    select * from memo_settlements
    union all by name
    select *, date as settling_date from write_offs
),

documents as (
    select 'bill' as settled_type, bill_id as settled_id, vendor_id as party_id, currency, amount, amount_home, is_foreign
    from staging.bills
    union all
    select 'invoice', invoice_id, customer_id, currency, amount, amount_home, is_foreign
    from staging.invoices
),

running as (
    select
        settlements.* replace (in_currency(settlements.amount, documents.is_foreign) as amount),
        documents.party_id,
        documents.currency,
        documents.amount as document_amount,
        documents.amount_home as document_amount_home,
        documents.is_foreign,
        sum(in_currency(settlements.amount, documents.is_foreign)) over so_far as amount_so_far
    from settlements
    inner join documents using (settled_type, settled_id)
    where settlements.amount <> 0
    window so_far as (
        partition by settled_type, settled_id
        order by settlements.date, settling_type, settling_id, settlement_key
    )
)

select
    settled_type,                                  -- bill or invoice.
    settled_id,                                    -- BILL's id of it.
    settling_type,                                 -- payment, vendor_credit, received_payment, credit_memo, or invoice for a write-off.
    settling_id,                                   -- BILL's id of it.
    settlement_key,                                -- Tells several settlements by one document apart.
    party_id,                                      -- Vendor or customer of the settled document.
    settling_date,                                 -- Day of the payment, or on which the credit was used.
    date,                                          -- Day on which the settlement counts.
    currency,                                      -- Currency of the settled document.
    amount::decimal(18, 3) as amount,              -- Settled, in that currency.
    home_share(is_foreign, document_amount_home, amount, amount_so_far, document_amount)::decimal(18, 2)
        as amount_home,                            -- Book value cleared, at the document's own rate.
    amount_so_far::decimal(18, 3) as amount_so_far,  -- Running total including this one.
    document_amount::decimal(18, 3) as document_amount  -- Total of the settled document.
from running
