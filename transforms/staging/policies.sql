-- How this client wants its books kept, with the default of every policy nobody set.
--
-- grain: one row for the client
-- key: home_currency
-- owner: team:accounting
-- columns: staging.policy_versions
select
    home_currency, fiscal_year_end, book_bills_on, book_unexportable_payments, sales_tax_on_cash_basis,
    books_begin_on, form_1099_threshold, organization_id, closed_through
from staging.policy_versions
where known_to = timestamp '9999-12-31'
