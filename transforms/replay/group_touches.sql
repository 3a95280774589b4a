-- The batches at which something that a group's postings depend on had changed.
--
-- grain: one row per group and batch
with

touched_documents as (
    select list, id, batch_no from replay_versions
    union all
    select list, id, batch_no from replay_decisions_by_document
    union all
    select uses.list, uses.id, changes.batch_no
    from replay_dimension_changes as changes
    inner join replay_dimension_uses as uses
        on uses.dimension_list = changes.list and uses.dimension_id = changes.id
        and uses.batch_no < changes.batch_no
)

select distinct group_no, batch_no
from touched_documents
inner join replay_groups using (list, id)
