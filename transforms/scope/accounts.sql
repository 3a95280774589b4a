-- The documents with a line on a new account, or one that the model suggested it for, and what was deposited to it.
--
-- grain: one row per document
select document_id as id from categorized.parts where account_id in (select key from new_keys)
union
select document_id
from categorized.lines
inner join new_keys on contains(alternatives::varchar, to_json(key)::varchar)
union
select received_payment_id from staging.received_payments where deposit_account_id in (select key from new_keys)
union
select document_id from ledger.journal_lines where account_id in (select key from new_keys)
