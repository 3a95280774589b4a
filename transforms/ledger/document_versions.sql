-- Every version of every document as BILL gave it, whole: where each journal entry comes from.
--
-- The journal names a document and one of its versions; here is what that version said. Vendors,
-- customers and other lists are not documents and stay in the client's file.
--
-- grain: one row per document and version
-- key: document_type, document_id, version
-- owner: team:accounting
-- materialize: view
select
    document_type_of(archive.list) as document_type,  -- Kind of BILL document.
    archive.id as document_id,      -- BILL's id of the document.
    archive.version,                -- 1, 2, 3 … as we saw them; the journal's document_version.
    archive.seen_at,                -- When a sync first saw this version (UTC).
    archive.updated_at,             -- BILL's own time of last change (UTC).
    archive.is_archived,            -- BILL hides it.
    archive.is_deleted,             -- This version records that BILL no longer has the document.
    archive.document                -- The whole document in BILL's words, as JSON.
from raw.document_versions as archive
-- A sync that failed after reading may have seen more than these books know.
inner join ledger.books as books on archive.seen_at <= books.known_until
where document_type_of(archive.list) is not null
