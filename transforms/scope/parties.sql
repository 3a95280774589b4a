-- The documents of new vendors and customers.
--
-- grain: one row per document
with

documents (id, party_id) as (
    select bill_id, vendor_id from staging.bills
    union all
    select vendor_credit_id, vendor_id from staging.vendor_credits
    union all
    select payment_id, vendor_id from staging.payments
    union all
    select invoice_id, customer_id from staging.invoices
    union all
    select credit_memo_id, customer_id from staging.credit_memos
    union all
    select received_payment_id, customer_id from staging.received_payments
)

select distinct id from documents where party_id in (select key from new_keys)
