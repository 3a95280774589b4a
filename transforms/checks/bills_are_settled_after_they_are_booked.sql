-- No payment reaches accounts payable before its bill does.
--
-- table: ledger.postings
-- follows: document
-- severity: error
select postings.document_type, postings.document_id, postings.open_item_id as bill_id, postings.date, bills.bill_date
from ledger.postings as postings
inner join staging.bills as bills on bills.bill_id = postings.open_item_id
cross join ledger.role_accounts as roles
where postings.account_id = roles.ap_control and postings.date < bills.bill_date
