-- How these books are kept: currency, fiscal year, last locked day.
--
-- grain: one row for the client
-- key: home_currency
-- owner: team:accounting
-- columns: ledger.book_versions
-- macro: books_at(known_at)
-- moment: known_until
select
    home_currency, fiscal_year_end, book_bills_on, sales_tax_on_cash_basis, books_begin_on, closed_through,
    form_1099_threshold, organization_id,
    least(known_until, coalesce(getvariable('known_at'), known_until))::timestamp as known_until  -- When these books were last derived; sync_status says when BILL was read.
from ledger.book_versions
where known_from <= coalesce(getvariable('known_at'), timestamp '9999-12-30')
    and known_to > coalesce(getvariable('known_at'), timestamp '9999-12-30')
