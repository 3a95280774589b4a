-- The assumed transfers to post in this epoch: a version of a payment of theirs is new, its fee was decided, or all.
--
-- grain: one row per transfer and batch
select distinct members.transfer_id as subject, versions.batch_no
from (select distinct transfer_id, list, id from replay_transfers) as members
inner join replay_versions as versions using (list, id)
where versions.batch_no between getvariable('first_batch') and getvariable('last_batch')
union
select members.transfer_id, decided.batch_no
from (select distinct transfer_id, list, id from replay_transfers) as members
inner join replay_decisions_by_document as decided using (list, id)
where decided.batch_no between getvariable('first_batch') and getvariable('last_batch')
union
select transfer_id, getvariable('first_batch')
from replay_transfers
where getvariable('everything_changed') or getvariable('transfers_changed')
union
select document_id, getvariable('first_batch')
from replay_late_documents
where document_type = 'derived_transfer' and getvariable('lock_moved')
