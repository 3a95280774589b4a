-- Batches from which on something counts that every document depends on.
--
-- closes: what is locked; reopenings: what is open again; opening_balances: what was brought in;
-- reclassifications: what was moved under another type of its account;
-- everything: policies, roles, rules, whose books these are; transfers: from when on BILL's own money
-- movements replace the assumed ones; dimensions: a vendor, item or account changed in what posting
-- reads of it; in_flight: a payment, receipt or transfer of before the books begin changed, or what a
-- foreign one pays.
--
-- grain: one row per kind and batch
with

-- Which party another one is matters to rules for a party.
merges as (
    select party_id, merged_party_id, decided_at
    from decisions.party_resolutions
    qualify merged_party_id is distinct from lag(merged_party_id, 1, party_id) over (
        partition by party_id order by decided_at, rowid
    )
),

merges_in_bill as (
    select
        batch_no,
        merged_into_id is distinct from lag(merged_into_id) over (partition by list, id order by version) as is_news
    from (
        select
            list, id, version, batch_no,
            json_extract_string(document, '$.mergedIntoId') as merged_into_id
        from replay_versions
        where list in ('vendor_details', 'customer_details')
    )
),

decided (kind, decided_at) as (
    select 'closes', decided_at from decisions.closes
    union all
    select 'reopenings', decided_at from decisions.closes where action = 'reopen'
    union all
    select 'opening_balances', decided_at from decisions.opening_balances
    union all
    select 'reclassifications', decided_at from decisions.reclassifications
    union all
    select 'everything', decided_at from decisions.account_roles
    union all
    select 'everything', decided_at from decisions.rules
    union all
    select 'everything', decided_at
    from decisions.party_links
    where exists (select 1 from decisions.rules where party_id is not null)
    union all
    select 'everything', decided_at
    from decisions.party_splits
    where exists (select 1 from decisions.rules where party_id is not null)
    union all
    -- A party that no document and no rule named before is of no matter to them.
    select 'everything', merges.decided_at
    from merges
    where exists (select 1 from decisions.rules where party_id is not null)
        and (
            merges.party_id in (select party_id from decisions.rules)
            or merges.party_id in (
                select uses.dimension_id
                from replay_dimension_uses as uses
                inner join replay_batches as batches using (batch_no)
                where uses.dimension_list in ('vendors', 'customers') and batches.as_of < merges.decided_at
            )
        )
    union all
    select 'everything', decided_at
    from decisions.policies
    where name in ('home_currency', 'book_bills_on', 'book_unexportable_payments', 'organization_id', 'books_begin_on')
),

-- The first day on which BILL shows a movement, side by side, as each batch knew it.
movements as (
    select
        batch_no, next_batch_no, json_extract_string(document, '$.type') = '2' as is_receipts,
        coalesce(day_of(json_extract_string(document, '$.processDate')), seen_at::date) as day
    from replay_versions
    where list = 'money_movements'
),

first_days as (
    select batches.batch_no, movements.is_receipts, min(movements.day) as first_day
    from (select distinct batch_no from movements) as batches
    inner join movements
        on movements.batch_no <= batches.batch_no and batches.batch_no < movements.next_batch_no
    group by all
),

-- A document without a day may be of any.
begins as (
    select max(try_cast(value as date)) as last_day from decisions.policies where name = 'books_begin_on'
),

money_of_before as (
    select distinct list, id
    from replay_versions
    cross join begins
    where list in ('payments', 'received_payments', 'money_movements')
        and coalesce(
            day_of(json_extract_string(document, '$.processDate')),
            day_of(json_extract_string(document, '$.paymentDate')),
            last_day
        ) <= last_day
),

documents_of_before as (
    select list, id from money_of_before
    union
    select other_list, other_id from replay_links semi join money_of_before using (list, id)
)

select distinct decided.kind, batches.batch_no
from (select distinct * from decided) as decided
asof join replay_batches as batches on decided.decided_at <= batches.as_of
union
select 'everything', batch_no from replay_versions where list = 'organizations'
union
select 'everything', batch_no
from merges_in_bill
where is_news and exists (select 1 from decisions.rules where party_id is not null)
union
select 'in_flight', batch_no from replay_versions semi join documents_of_before using (list, id)
union
select 'in_flight', decided.batch_no
from replay_decisions_by_document as decided
semi join documents_of_before using (list, id)
where decided.list = 'received_payments'
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
