-- Lists of BILL that syncs were refused, and when that was known.
--
-- grain: one row per list and run of moments without it
-- key: list, missing_since
-- owner: team:accounting
with

answers as (
    select
        list, is_refused, reason, seen_at,
        lead(seen_at, 1, timestamp '9999-12-31') over (partition by list order by seen_at, rowid) as known_to
    from raw.list_refusals
    where seen_at <= getvariable('as_of')
)

select
    list,                      -- The list of BILL, for example payments.
    seen_at as missing_since,  -- When a sync was refused it (UTC).
    reason,                    -- What BILL said, and what to do.
    seen_at as known_from,     -- The sync since which it was known so (UTC).
    known_to                   -- The sync that changed it (UTC).
from answers
where is_refused and seen_at < known_to
