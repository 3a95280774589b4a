-- Classes, departments, locations, jobs and employees by their names.
--
-- grain: one row per dimension value
-- key: dimension_id
-- owner: team:accounting
-- columns: staging.dimensions
select
    dimension_id, dimension, dimension_name, parent_dimension_id, is_archived
from staging.dimensions
