-- How these books are kept: currency, fiscal year, last locked day.
--
-- grain: one row for the client
-- key: home_currency
-- owner: team:accounting
-- macro: books_at(known_at)
-- moment: known_until
select
    home_currency,      -- ISO code of the books.
    fiscal_year_end,    -- MM-DD; 02-29 means the last day of February.
    book_bills_on,      -- entry, or approval: only approved bills are booked.
    sales_tax_on_cash_basis,  -- shared: a part payment pays the tax in step; last: the lines first.
    books_begin_on,     -- Day at whose end the opening balances stood: earlier documents open with their rest; null: BILL's whole history is booked.
    closed_through,     -- Last locked day, inclusive; null when all is open.
    form_1099_threshold,  -- Replaces the yearly threshold of Form 1099 when set.
    organization_id,    -- BILL's id of the organization; part of every entry's id.
    least(known_until, coalesce(getvariable('known_at'), known_until))::timestamp as known_until  -- When these books were last derived; sync_status says when BILL was read.
from ledger.book_versions
where known_from <= coalesce(getvariable('known_at'), timestamp '9999-12-30')
    and known_to > coalesce(getvariable('known_at'), timestamp '9999-12-30')
