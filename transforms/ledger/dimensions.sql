-- Classes, departments, locations, jobs and employees by their names.
--
-- grain: one row per dimension value
-- key: dimension_id
-- owner: team:accounting
select
    dimension_id,           -- BILL's id of the value.
    dimension,              -- class, department, location, job or employee.
    dimension_name,         -- Name as BILL last reported it.
    parent_dimension_id,    -- The value above it, if any.
    is_archived             -- No longer offered in BILL.
from staging.dimensions
