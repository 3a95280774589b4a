-- Every invoice or bill that a booked receipt or credit is used for came from BILL too.
--
-- A missing one may be a lost page: until it comes, its part waits on the party's account as not applied.
--
-- table: staging.applications
-- severity: warn
with

uses as (
    select
        'received_payment' as document_type, received_payment_id as document_id, customer_id as party_id,
        receipt_date as date, paid.invoiceId as invoice_id, null as bill_id, paid.amount as amount
    from (select *, unnest(invoice_payments) as paid from staging.received_payments where is_booked)
    union all
    select
        'credit_memo', credit_memo_id, customer_id, credit_date, used.invoiceId, null, used.amount
    from (select *, unnest(usage) as used from staging.credit_memos where is_booked)
    union all
    select
        'vendor_credit', vendor_credit_id, vendor_id, credit_date, null, used.billId, used.amount
    from (select *, unnest(usage) as used from staging.vendor_credits where is_booked)
)

select document_type, document_id, party_id, date, coalesce(invoice_id, bill_id) as missing_document_id, amount
from uses
where (invoice_id is not null and invoice_id not in (select invoice_id from staging.invoices))
    or (bill_id is not null and bill_id not in (select bill_id from staging.bills))
