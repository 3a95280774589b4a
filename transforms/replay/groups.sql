-- The group of every document: what links connect, directly or not.
--
-- grain: one row per list and document
select nodes.list, nodes.id, lists.document_type, group_of_node.group_no
from replay_nodes as nodes
inner join group_of_node on group_of_node.node = nodes.node
left join replay_document_lists as lists using (list)
