-- The moments at which entries were posted, in order. A rebuild posts at these moments again.
--
-- grain: one row per batch
select
    row_number() over (order by as_of) as batch_no,  -- 1, 2, 3 …
    as_of                                            -- When it was posted.
from decisions.batches
