-- Every version that this wave's groups had by their moment.
--
-- grain: one row per list, document and version
select versions.* exclude (batch_no, next_batch_no, subject), waves.as_of as known_at
from replay_epoch_versions as versions
inner join replay_waves as waves using (subject)
where waves.wave = getvariable('wave') and versions.batch_no <= waves.batch_no
