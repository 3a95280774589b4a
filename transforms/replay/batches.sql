-- The moments that a rebuild posts at again, in order.
--
-- grain: one row per batch
select
    row_number() over (order by as_of) as batch_no,  -- 1, 2, 3 …
    as_of                                            -- When it was posted.
from decisions.batches
where as_of >= getvariable('first_moment')
