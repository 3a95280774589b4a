-- The currency of every booked document is known.
--
-- A document that is worth another amount than it shows is foreign, whatever its vendor's record
-- says: where that names no foreign currency, it counts as XXX, at the worth that BILL gives.
--
-- table: ledger.documents
-- severity: warn
select document_type, document_id, party_id, amount, amount_home
from ledger.documents
where is_booked and currency = 'XXX'
