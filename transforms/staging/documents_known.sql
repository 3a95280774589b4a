-- Every BILL document in the version that was known at the moment of the report.
--
-- grain: one row per list and document
-- key: list, id
-- owner: team:accounting
-- follows: id
-- materialize: view
-- archive: yes
select
    list,         -- The BILL list it came from, for example bills.
    id,           -- BILL's id of the document.
    version,      -- 1, 2, 3 … in the archive of versions.
    seen_at,      -- When this version was first seen.
    updated_at,   -- BILL's own time of last change.
    is_archived,  -- BILL hides it, or no longer has it.
    document,     -- The whole document, with null for ids that name nothing.
    known_at      -- Until when more may be known of it; see staging.versions_known.
from staging.versions_known
qualify version = max(version) over (partition by list, id)
