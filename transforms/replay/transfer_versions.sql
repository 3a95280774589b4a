-- The payments and receipts that this wave's transfers consisted of at their moments, and all movements.
--
-- grain: one row per list, document and version
select versions.* exclude (batch_no, next_batch_no), waves.as_of as known_at
from replay_waves as waves
inner join replay_transfers as members on members.transfer_id = waves.subject
inner join replay_versions as versions
    on versions.list = members.list and versions.id = members.id and versions.version = members.version
where waves.wave = getvariable('wave')
    and versions.batch_no <= waves.batch_no and waves.batch_no < versions.next_batch_no
union all
select versions.* exclude (batch_no, next_batch_no), versions.seen_at
from replay_versions as versions
where list = 'money_movements'
    and batch_no <= getvariable('last_batch') and next_batch_no > getvariable('last_batch')
