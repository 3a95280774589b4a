-- No booked document has a day or an amount that can hardly be meant.
--
-- It is booked as BILL gives it: dated before 1990 or more than ten years ahead, or with more decimals
-- than its currency has (rounded to the cent in home currency).
--
-- table: ledger.documents
-- severity: warn
select document_type, document_id, party_id, number, doubtful
from ledger.documents
where is_booked and doubtful is not null
