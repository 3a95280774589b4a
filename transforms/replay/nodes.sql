-- Everything that links connect, numbered.
--
-- grain: one row per list and document
select list, id, row_number() over (order by list, id) - 1 as node
from (
    select list, id from replay_versions semi join replay_document_lists using (list)
    union
    select list, id from replay_links
    union
    select other_list, other_id from replay_links
)
