-- Every amount and day of every document in the books can be read.
--
-- A document with one that is none (2024-02-30, 10^15 and more) is not booked until BILL sends it
-- right. An import sets such documents aside before they come here.
--
-- table: staging.payments
-- severity: warn
select 'bill' as document_type, bill_id as document_id, unreadable from staging.bills where unreadable is not null
union all
select 'vendor_credit', vendor_credit_id, unreadable from staging.vendor_credits where unreadable is not null
union all
select 'payment', payment_id, unreadable from staging.payments where unreadable is not null
union all
select 'invoice', invoice_id, unreadable from staging.invoices where unreadable is not null
union all
select 'credit_memo', credit_memo_id, unreadable from staging.credit_memos where unreadable is not null
union all
select 'received_payment', received_payment_id, unreadable
from staging.received_payments
where unreadable is not null
union all
select 'money_movement', money_movement_id, unreadable from staging.money_movements where unreadable is not null
union all
select 'billing_statement', billing_statement_id, unreadable
from staging.billing_statements
where unreadable is not null
