-- In which currency each vendor or customer billed or was billed, and in which syncs that was known.
--
-- BILL tells a party's currency of today alone. A document keeps the currency that was known at the
-- end of the sync that brought its amounts; one that came before its party takes the first known.
--
-- grain: one row per party and run of syncs with one currency
-- key: party_id, known_from
-- owner: team:accounting
-- named: parties
with

readings as (
    select
        list, id, version, seen_at,
        -- Anything but an ISO code says nothing.
        nullif(regexp_extract(
            upper(trim(coalesce(
                json_extract_string(document, '$.billCurrency'), json_extract_string(document, '$.invoiceCurrency')
            ))),
            '^[A-Z]{3}$'
        ), '') as currency
    from staging.versions_known
    where list in ('vendors', 'customers')
    qualify version = max(version) over (partition by list, id, seen_at)
),

changes as (
    select *, row_number() over (partition by list, id order by version) = 1 as is_first
    from readings
    qualify is_first or currency is distinct from lag(currency) over (partition by list, id order by version)
)

select
    id as party_id,                                         -- BILL's id.
    if(is_first, timestamp '0001-01-01', seen_at) as known_from,  -- The sync since which it was known so; the first holds for all before.
    lead(seen_at, 1, timestamp '9999-12-31') over so_far as known_until,  -- The sync that brought another.
    currency,                                               -- ISO code; null: BILL says none, which means home.
    coalesce(
        last_value(nullif(currency, home_currency) ignore nulls) over so_far,
        first_value(nullif(currency, home_currency) ignore nulls) over from_now
    ) as foreign_currency,                                  -- The last foreign one known by then, else the first one after; null: never one.
    last_value(nullif(currency, home_currency) ignore nulls) over so_far is not null
        as was_foreign                                      -- Then or before it billed in a foreign currency.
from changes
cross join staging.policies
window
    so_far as (partition by list, id order by version rows between unbounded preceding and current row),
    from_now as (partition by list, id order by version rows between current row and unbounded following)
