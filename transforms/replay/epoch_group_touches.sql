-- The groups to post in this epoch: those touched; when the lock moved those with late adjustments, and on a
-- reopening all that were touched since the first close, for a date that moved then left no entry; or all.
--
-- grain: one row per group and batch
select group_no::varchar as subject, batch_no
from replay_group_touches
where batch_no between getvariable('first_batch') and getvariable('last_batch')
union
select group_no::varchar, getvariable('first_batch')
from replay_group_touches
where getvariable('everything_changed') and batch_no <= getvariable('first_batch')
union
select documents.group_no::varchar, getvariable('first_batch')
from replay_groups as documents
inner join replay_late_documents as late
    on late.document_type = documents.document_type and late.document_id = documents.id
where getvariable('lock_moved')
union
select group_no::varchar, getvariable('first_batch')
from replay_group_touches
where getvariable('reopened') and batch_no < getvariable('first_batch')
    and batch_no >= (select min(batch_no) from replay_turning_points where kind = 'closes')
