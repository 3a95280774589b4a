-- Classes, departments, locations, jobs and employees that lines can carry.
--
-- grain: one row per dimension value
-- key: dimension_id
-- owner: team:accounting
with

documents as (
    select
        list,
        id,
        is_archived,
        from_json(document, '{
            "name": "VARCHAR", "shortName": "VARCHAR", "firstName": "VARCHAR",
            "lastName": "VARCHAR", "parentId": "VARCHAR"
        }') as d
    from staging.documents_known
    where list in ('accounting_classes', 'departments', 'locations', 'jobs', 'employees')
)

select
    id as dimension_id,                                       -- BILL's id of the value.
    case list
        when 'accounting_classes' then 'class'
        when 'departments' then 'department'
        when 'locations' then 'location'
        when 'jobs' then 'job'
        else 'employee'
    end as dimension,                                         -- class, department, location, job or employee.
    coalesce(d.name, nullif(trim(concat_ws(' ', d.firstName, d.lastName)), ''), d.shortName, id)
        as dimension_name,                                    -- Name as BILL last reported it.
    d.parentId as parent_dimension_id,                        -- The value above it, if any.
    is_archived                                               -- No longer offered in BILL.
from documents
