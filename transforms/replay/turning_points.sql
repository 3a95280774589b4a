-- Batches from which on something counts that every document depends on.
--
-- closes: what is locked; opening_balances: what was brought in; everything: policies, roles, whose
-- books these are; transfers: from when on BILL's own money movements replace the assumed ones.
--
-- grain: one row per kind and batch
with

decided (kind, decided_at) as (
    select 'closes', decided_at from decisions.closes
    union all
    select 'opening_balances', decided_at from decisions.opening_balances
    union all
    select 'everything', decided_at from decisions.account_roles
    union all
    select 'everything', decided_at
    from decisions.policies
    where name in ('home_currency', 'book_bills_on', 'book_unexportable_payments', 'organization_id')
),

-- The first day on which BILL shows a movement, side by side, as each batch knew it.
movements as (
    select
        batch_no, next_batch_no, json_extract_string(document, '$.type') = '2' as is_receipts,
        coalesce(try_cast(left(json_extract_string(document, '$.processDate'), 10) as date), seen_at::date) as day
    from replay_versions
    where list = 'money_movements'
),

first_days as (
    select batches.batch_no, movements.is_receipts, min(movements.day) as first_day
    from (select distinct batch_no from movements) as batches
    inner join movements
        on movements.batch_no <= batches.batch_no and batches.batch_no < movements.next_batch_no
    group by all
)

select distinct decided.kind, batches.batch_no
from (select distinct * from decided) as decided
asof join replay_batches as batches on decided.decided_at <= batches.as_of
union
select 'everything', batch_no from replay_versions where list = 'organizations'
union
(
    select 'transfers', batch_no
    from first_days
    qualify first_day is distinct from lag(first_day) over (partition by is_receipts order by batch_no)
)
union
-- A change of what no earlier document names matters to nobody before it.
select 'dimensions', changes.batch_no
from replay_dimension_changes as changes
inner join replay_dimension_uses as uses
    on uses.dimension_list = changes.list and uses.dimension_id = changes.id
    and uses.batch_no < changes.batch_no
