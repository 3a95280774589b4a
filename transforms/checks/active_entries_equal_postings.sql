-- All entries of a document together are what its latest version says (telescoping).
--
-- table: ledger.journal_lines
-- follows: document
-- severity: error
select document_type, document_id, event, line_key, account_id, sum(amount) as difference
from (
    select
        document_type, document_id, event, line_key, account_id, party_id, class_id, department_id,
        location_id, job_id, open_item_id, amount
    from ledger.journal_lines
    union all
    select
        document_type, document_id, event, line_key, account_id, party_id, class_id, department_id,
        location_id, job_id, open_item_id, -amount
    from ledger.postings
)
group by
    document_type, document_id, event, line_key, account_id, party_id, class_id, department_id,
    location_id, job_id, open_item_id
having sum(amount) <> 0
