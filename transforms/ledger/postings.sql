-- What should stand in the journal now, line by line, from every kind of document.
--
-- Of what is dated on or before the day the books begin only what was still open then is posted, on
-- that day. The rest stays readable in ledger.lines_before_books.
--
-- grain: one row per posting line
-- key: document_type, document_id, event, line_key
-- owner: team:accounting
-- materialize: view
-- follows: document_id
-- published: no
-- columns: ledger.postings_in_full
select *
from ledger.postings_in_full
where document_type = 'opening_balance'
    or date > coalesce((select books_begin_on from staging.policies), date '0001-01-01')
union all by name
select * from ledger.postings_opened_documents
union all by name
select * from ledger.postings_in_flight
