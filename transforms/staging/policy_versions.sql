-- How this client wanted its books kept, with the default of every policy nobody had set, decision by decision.
--
-- grain: one row per moment at which a policy or the last locked day changed, and one for before
-- key: known_from
-- owner: team:accounting
with

decided as (
    select name, value, decided_at, rowid as row_no
    from decisions.policies
    where decided_at <= getvariable('as_of')
),

closes as (
    select closed_through, decided_at, rowid as row_no
    from decisions.closes
    where decided_at <= getvariable('as_of')
),

moments as (
    select timestamp '0001-01-01' as moment
    union
    select decided_at from decided
    union
    select decided_at from closes
),

policies_known as (
    select moments.moment, decided.name, last_decided(decided.value, decided.decided_at, decided.row_no) as value
    from moments
    inner join decided on decided.decided_at <= moments.moment
    group by moments.moment, decided.name
),

close_known as (
    select moments.moment, last_decided(closes.closed_through, closes.decided_at, closes.row_no) as closed_through
    from moments
    inner join closes on closes.decided_at <= moments.moment
    group by moments.moment
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
    any_value(closed_through) as closed_through,  -- Last locked day, inclusive; null when all is open.
    moment as known_from,  -- The decision since which it was so (UTC).
    lead(moment, 1, timestamp '9999-12-31') over (order by moment) as known_to  -- The one that changed it (UTC).
from moments
left join policies_known using (moment)
left join close_known using (moment)
group by moment
