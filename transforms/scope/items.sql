-- The documents with lines of new items.
--
-- grain: one row per document
select distinct document_id as id from categorized.document_lines where item_id in (select key from new_keys)
