-- BILL lets every list be read that books are made from; else they are incomplete, and say so.
--
-- table: ledger.lists_missing
-- severity: warn
select list, missing_since, reason
from ledger.lists_missing
