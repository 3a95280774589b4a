-- BILL says what every booked foreign document is worth in home currency.
--
-- Where it does not, a bill, invoice or memo counts at the rate named on it, else one to one; a vendor
-- credit at the rate of the vendor's latest bill, which changes with the bills that come; and a payment
-- or receipt at the rate of what it settles.
--
-- table: staging.payments
-- severity: warn
select 'bill' as document_type, bill_id as document_id, currency, amount, amount_home
from staging.bills
where is_booked and not is_home_amount_given
union all
select 'vendor_credit', vendor_credit_id, currency, amount, amount_home
from staging.vendor_credits
where is_booked and not is_home_amount_given
union all
select 'payment', payment_id, currency, amount, amount_home
from staging.payments
where is_booked and not is_home_amount_given
union all
select 'invoice', invoice_id, currency, amount, amount_home
from staging.invoices
where is_booked and not is_home_amount_given
union all
select 'credit_memo', credit_memo_id, currency, amount, amount_home
from staging.credit_memos
where is_booked and not is_home_amount_given
union all
select 'received_payment', received_payment_id, currency, amount, amount_home
from staging.received_payments
where is_booked and not is_home_amount_given
