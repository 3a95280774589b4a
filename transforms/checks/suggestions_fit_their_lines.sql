-- The model's account was decided for exactly this line as it is now.
--
-- table: categorized.lines
-- follows: document
-- severity: error
select lines.document_type, lines.document_id, lines.line_id, lines.account_id, lines.category_source
from categorized.lines as lines
anti join decisions.categories as decided
    on decided.document_type = lines.document_type
    and decided.document_id = lines.document_id
    and decided.line_id = lines.line_id
    and decided.features_hash = lines.features_hash
    and decided.account_id = lines.account_id
where lines.category_source = 'model'
