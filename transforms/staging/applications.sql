-- How far each credit and each receipt is used for each bill or invoice, and since when.
--
-- BILL lists the uses without dates of their own, in an order that moves when one is taken back. So
-- a use counts from the version in which it appeared and stayed: of what is used now, each part
-- is dated by the first version since which at least that much was used without a break.
--
-- grain: one row per credit or receipt, document it was applied to, day given by BILL, and version since
-- key: list, id, applied_to_id, given_date, since_version
-- owner: team:accounting
-- follows: id
with

versions as (
    select
        list,
        id,
        version,
        coalesce(updated_at, seen_at)::date as changed_date,
        from_json(document, '{
            "status": "VARCHAR",
            "usage": [{"billId": "VARCHAR", "invoiceId": "VARCHAR", "paymentId": "VARCHAR", "amount": "VARCHAR"}],
            "invoicePayments": [{"invoiceId": "VARCHAR", "amount": "VARCHAR", "paymentDate": "VARCHAR"}]
        }') as d
    from staging.versions_known
    where list in ('vendor_credits', 'credit_memos', 'received_payments')
),

uses as (
    select
        list, id, version, used.billId as bill_id, used.invoiceId as invoice_id,
        used.paymentId as payment_id, amount_of(used.amount) as amount, null::date as given_date
    from (select list, id, version, unnest(d.usage) as used from versions)
    union all by name
    select
        list, id, version, used.invoiceId as invoice_id, amount_of(used.amount) as amount,
        day_of(used.paymentDate) as given_date
    from (select list, id, version, unnest(d.invoicePayments) as used from versions)
),

-- A use that names its payment is dated by that payment; see ledger.settlements.
used_by_version as (
    select
        list, id, version, given_date, coalesce(bill_id, invoice_id) as applied_to_id,
        sum(coalesce(amount, 0)) as amount
    from uses
    where payment_id is null and coalesce(bill_id, invoice_id) is not null
    group by all
),

-- Every version of the document beside everything it was ever used for.
histories as (
    select
        versions.list, versions.id, versions.version, versions.changed_date,
        targets.applied_to_id, targets.given_date, coalesce(used_by_version.amount, 0) as amount
    from versions
    inner join (select distinct list, id, applied_to_id, given_date from used_by_version) as targets
        using (list, id)
    left join used_by_version
        on used_by_version.list = versions.list and used_by_version.id = versions.id
        and used_by_version.version = versions.version
        and used_by_version.applied_to_id = targets.applied_to_id
        and used_by_version.given_date is not distinct from targets.given_date
),

-- What was used in this version and in every later one.
kept as (
    select
        *,
        min(amount) over (
            partition by list, id, applied_to_id, given_date order by version
            rows between current row and unbounded following
        ) as amount_kept
    from histories
),

steps as (
    select
        *,
        amount_kept - lag(amount_kept, 1, 0) over (
            partition by list, id, applied_to_id, given_date order by version
        ) as amount_added
    from kept
),

-- A receipt that is still on its way may not list its invoices yet: that is no later application.
first_booked_versions as (
    select
        list, id,
        coalesce(
            min(version) filter (where list <> 'received_payments' or d.status is distinct from 'SCHEDULED'),
            min(version)
        ) as version
    from versions
    group by list, id
)

select
    steps.list,                                         -- vendor_credits, credit_memos or received_payments.
    steps.id,                                           -- BILL's id of the credit or receipt.
    steps.applied_to_id,                                -- The bill or invoice.
    steps.given_date,                                   -- BILL's own day of the application, on receipts.
    steps.version as since_version,                     -- Version since which it is used so.
    steps.changed_date as since_date,                   -- BILL's day of that version.
    steps.version <= first_booked_versions.version as was_there_from_the_start,  -- Not applied later.
    steps.amount_added::decimal(18, 3) as amount        -- How much, in the document's currency.
from steps
inner join first_booked_versions using (list, id)
where steps.amount_added <> 0
