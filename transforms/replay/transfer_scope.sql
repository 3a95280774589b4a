-- The assumed transfers of this wave, each with its moment.
--
-- grain: one row per transfer
select 'derived_transfer' as document_type, subject as document_id, as_of
from replay_waves
where wave = getvariable('wave')
