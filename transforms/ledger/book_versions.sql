-- How these books were kept when: what the policies and the last locked day were at each moment.
--
-- grain: one row per moment at which a policy or the last locked day changed, and one for before
-- key: known_from
-- owner: team:accounting
-- columns: staging.policy_versions
-- moment: known_until
select
    home_currency, fiscal_year_end, book_bills_on, sales_tax_on_cash_basis,
    books_begin_on,     -- Day at whose end the opening balances stood: earlier documents open with their rest; null: BILL's whole history is booked.
    closed_through, form_1099_threshold, organization_id,
    getvariable('as_of')::timestamp as known_until,  -- When these books were last derived; sync_status says when BILL was read.
    known_from, known_to
from staging.policy_versions
