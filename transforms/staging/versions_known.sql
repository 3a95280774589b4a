-- Every version of every BILL document that was known at the moment of the report, the latest last.
--
-- grain: one row per list, document and version
-- key: list, id, version
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
    is_archived or is_deleted as is_archived,  -- BILL hides it, or no longer has it.
    without_empty_references(document) as document,  -- The whole document, with null for ids that name nothing.
    timestamp '9999-12-31' as known_at  -- Until when more may be known of it: without limit, but a replay looks at each document at its own moment.
from raw.document_versions
where seen_at <= getvariable('as_of')
