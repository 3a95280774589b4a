-- The first touch of every group or transfer belongs to the first wave, the second to the second, and so on.
--
-- grain: one row per group or transfer and wave
select
    subject, batch_no, batches.as_of,
    row_number() over (partition by subject order by batch_no) as wave
from replay_touches
inner join replay_batches as batches using (batch_no)
