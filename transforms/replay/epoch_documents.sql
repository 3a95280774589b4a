-- Every document as it is known at the end of the epoch, in all its versions.
--
-- grain: one row per list, document and version
select versions.* exclude (batch_no, next_batch_no), batches.as_of as known_at
from replay_versions as versions
cross join (select as_of from replay_batches where batch_no = getvariable('last_batch')) as batches
where versions.batch_no <= getvariable('last_batch')
