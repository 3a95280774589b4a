-- Every booked payment's bill came from BILL too; a missing one may be a lost page.
--
-- table: staging.payments
-- severity: warn
select payment_id, vendor_id, payment_date, paid.billId as missing_bill_id, paid.amount as amount
from (
    select payment_id, vendor_id, payment_date, unnest(bill_payments) as paid
    from staging.payments
    where is_booked
)
where paid.billId is not null and paid.billId not in (select bill_id from staging.bills)
