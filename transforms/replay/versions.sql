-- Every archived version with the batches for which it was the latest.
--
-- grain: one row per list, document and version
select
    versions.list, versions.id, versions.version, versions.seen_at, versions.updated_at,
    versions.is_archived or versions.is_deleted as is_archived,
    without_empty_references(versions.document) as document,
    batches.batch_no,                                -- First batch that knew it.
    lead(batches.batch_no, 1, 9223372036854775807) over (
        partition by versions.list, versions.id order by versions.version
    ) as next_batch_no                               -- First batch that knew a later one.
from raw.document_versions as versions
asof join replay_batches as batches on versions.seen_at <= batches.as_of
