-- What was posted before the books begin, were it in them: for reports of a vendor's history and of Form 1099.
--
-- The journal holds of these documents only what was still open on that day; nothing here is part of
-- a balance.
--
-- grain: one row per line
-- key: document_type, document_id, event, line_key
-- owner: team:accounting
-- follows: document_id
-- columns: ledger.postings_in_full
-- macro: lines_before_books_at(known_at)
select
    document_type, document_id, version, event, line_key, date, document_date, party_id, account_id, amount,
    currency, amount_currency, class_id, department_id, location_id, job_id, open_item_id, source_line_id,
    category_source, description
from (
    select *
    from ledger.lines_before_books_history
    where known_from <= coalesce(getvariable('known_at'), timestamp '9999-12-31')
    qualify row_number() over (
        partition by document_type, document_id, event, line_key order by change_no desc
    ) = 1
)
where not is_gone
