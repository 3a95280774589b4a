-- How this client wants its books kept, with the default of every policy nobody set.
--
-- grain: one row for the client
-- key: home_currency
-- owner: team:accounting
with

policies_known as (
    select name, arg_max(value, (decided_at, rowid)) as value
    from decisions.policies
    where decided_at <= getvariable('as_of')
    group by name
),

close_known as (
    select arg_max(closed_through, (decided_at, rowid)) as closed_through
    from decisions.closes
    where decided_at <= getvariable('as_of')
),

organization as (
    select min(id) as id from staging.documents_known where list = 'organizations'
)

select
    coalesce(max(value) filter (where name = 'home_currency'), 'USD') as home_currency,  -- ISO code of the books.
    coalesce(max(value) filter (where name = 'fiscal_year_end'), '12-31') as fiscal_year_end,  -- MM-DD; 02-29 means the last day of February.
    coalesce(max(value) filter (where name = 'book_bills_on'), 'entry') as book_bills_on,  -- entry, or approval: only approved bills are booked.
    coalesce(max(value) filter (where name = 'book_unexportable_payments'), 'yes') as book_unexportable_payments,  -- no: payments marked as already in other books stay out.
    coalesce(max(value) filter (where name = 'sales_tax_on_cash_basis'), 'shared') as sales_tax_on_cash_basis,  -- shared: a part payment pays the tax in step; last: the lines first.
    try_cast(max(value) filter (where name = 'books_begin_on') as date) as books_begin_on,  -- What is dated on or before it opens with its rest; null: all history is booked.
    try_cast(max(value) filter (where name = 'form_1099_threshold') as decimal(18, 2)) as form_1099_threshold,  -- Replaces the yearly threshold of Form 1099 when set.
    coalesce(
        max(value) filter (where name = 'organization_id'), (select id from organization), ''
    ) as organization_id,  -- BILL's id of the organization; part of every entry's id.
    (select closed_through from close_known) as closed_through  -- Last locked day, inclusive; null when all is open.
from policies_known
