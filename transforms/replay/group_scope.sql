-- The documents of this wave, each with its moment; opening balances and reclassifications belong to
-- none and come first, with what was in flight when the books begin.
--
-- grain: one row per document
select groups.document_type, groups.id as document_id, waves.as_of
from replay_waves as waves
inner join replay_groups as groups on groups.group_no::varchar = waves.subject
where waves.wave = getvariable('wave') and groups.document_type is not null
union all
select distinct 'opening_balance', opening.account_id, batches.as_of
from decisions.opening_balances as opening
cross join replay_batches as batches
where batches.batch_no = getvariable('first_batch') and getvariable('wave') = 1
union all
select distinct 'reclassification', moved.account_id || ':' || moved.first_day, batches.as_of
from decisions.reclassifications as moved
cross join replay_batches as batches
where batches.batch_no = getvariable('first_batch') and getvariable('wave') = 1
union all
select 'opening_balance', 'in_flight', as_of
from replay_batches
where batch_no = getvariable('first_batch') and getvariable('wave') = 1
