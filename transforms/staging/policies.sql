-- How this client wants its books kept, with the default of every policy nobody set.
--
-- grain: one row for the client
-- key: home_currency
-- owner: team:accounting
select
    home_currency,               -- ISO code of the books.
    fiscal_year_end,             -- MM-DD; 02-29 means the last day of February.
    book_bills_on,               -- entry, or approval: only approved bills are booked.
    book_unexportable_payments,  -- no: payments marked as already in other books stay out.
    sales_tax_on_cash_basis,     -- shared: a part payment pays the tax in step; last: the lines first.
    books_begin_on,              -- What is dated on or before it opens with its rest; null: all history is booked.
    form_1099_threshold,         -- Replaces the yearly threshold of Form 1099 when set.
    organization_id,             -- BILL's id of the organization; part of every entry's id.
    closed_through               -- Last locked day, inclusive; null when all is open.
from staging.policy_versions
where known_to = timestamp '9999-12-31'
