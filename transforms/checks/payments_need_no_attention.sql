-- No payment is stuck: failed, on hold, expiring or of an unknown status.
--
-- table: staging.payments
-- severity: warn
select payment_id, payment_number, vendor_id, payment_date, amount, status
from staging.payments
where payment_state in ('attention', 'unknown')
