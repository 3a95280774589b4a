-- The BILL lists whose documents are posted, and the type of their postings; null where a list only adds to another's.
--
-- grain: one row per list
select list, document_type_of(list) as document_type
from (
    values
    ('bills'), ('vendor_credits'), ('payments'), ('invoices'), ('credit_memos'), ('received_payments'),
    ('billing_statements'), ('money_movements'), ('bill_details'), ('invoice_details')
) as lists (list)
