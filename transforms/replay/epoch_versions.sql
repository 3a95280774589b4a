-- The versions of the groups to post in this epoch, earlier ones as well: the waves read only these.
--
-- grain: one row per list, document and version
select versions.*, groups.group_no::varchar as subject
from replay_versions as versions
inner join replay_groups as groups using (list, id)
where versions.batch_no <= getvariable('last_batch')
    and groups.group_no::varchar in (select subject from replay_touches)
