-- Lists of BILL that these books are made without, because BILL refuses them: what is in them is not here.
--
-- While payments are missing, bills that were paid long ago look unpaid. Empty where nothing is missing.
--
-- grain: one row per list
-- key: list
-- owner: team:accounting
with

latest as (
    select *
    from raw.list_refusals
    where seen_at <= getvariable('as_of')
    qualify row_number() over (partition by list order by seen_at desc, rowid desc) = 1
)

select
    list,                      -- The list of BILL, for example payments.
    seen_at as missing_since,  -- When a sync was first refused it (UTC).
    reason                     -- What BILL said, and what to do.
from latest
where is_refused
