-- Every close and every reopening of the books, in order.
--
-- grain: one row per close or reopening
-- key: closing_no
-- owner: team:accounting
select
    row_number() over (order by decided_at, rowid) as closing_no,  -- 1, 2, 3 … in the order in which they were decided.
    action,                                                        -- close or reopen.
    closed_through,                                                -- Last locked day from then on, inclusive.
    decided_at                                                     -- When it was decided.
from decisions.closes
where decided_at <= getvariable('as_of')
