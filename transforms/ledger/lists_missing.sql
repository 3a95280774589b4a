-- Lists of BILL that these books are made without, because BILL refuses them: what is in them is not here.
--
-- While payments are missing, bills that were paid long ago look unpaid. Empty where nothing is missing.
--
-- grain: one row per list
-- key: list
-- owner: team:accounting
-- macro: lists_missing_at(known_at)
select
    list,           -- The list of BILL, for example payments.
    missing_since,  -- When a sync was first refused it (UTC).
    reason          -- What BILL said, and what to do.
from ledger.list_gaps
where known_from <= coalesce(getvariable('known_at'), timestamp '9999-12-30')
    and known_to > coalesce(getvariable('known_at'), timestamp '9999-12-30')
