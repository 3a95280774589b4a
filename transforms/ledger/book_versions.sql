-- How these books were kept when: what the policies and the last locked day were at each moment.
--
-- grain: one row per moment at which a policy or the last locked day changed, and one for before
-- key: known_from
-- owner: team:accounting
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
    getvariable('as_of')::timestamp as known_until,  -- When these books were last derived; sync_status says when BILL was read.
    known_from,         -- The decision since which it was so (UTC).
    known_to            -- The one that changed it (UTC).
from staging.policy_versions
