-- The links between numbered documents.
--
-- grain: one row per pair of documents
select nodes.node as here, others.node as there
from replay_links as links
inner join replay_nodes as nodes on nodes.list = links.list and nodes.id = links.id
inner join replay_nodes as others on others.list = links.other_list and others.id = links.other_id
