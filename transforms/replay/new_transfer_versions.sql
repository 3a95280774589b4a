-- This epoch's versions of payments and receipts, to find the transfers they belong to.
--
-- grain: one row per list, document and version
select versions.* exclude (batch_no, next_batch_no), seen_at as known_at
from replay_versions as versions
where list in ('payments', 'received_payments')
    and batch_no between getvariable('first_batch') and getvariable('last_batch')
