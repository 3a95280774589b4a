-- What the posting rules read beside documents, as it is throughout the epoch; of parties all there was.
--
-- grain: one row per list and id, of parties per version
select versions.* exclude (batch_no, next_batch_no), batches.as_of as known_at
from replay_versions as versions
cross join (select as_of from replay_batches where batch_no = getvariable('last_batch')) as batches
anti join replay_document_lists using (list)
where versions.batch_no <= getvariable('last_batch')
    and (versions.next_batch_no > getvariable('last_batch') or versions.list in ('vendors', 'customers'))
