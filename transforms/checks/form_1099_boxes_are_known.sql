-- Of every flagged vendor paid enough for a Form 1099 it is known whether one is due: an account has its box.
--
-- table: reports.form_1099_totals
-- severity: warn
select party_id, party, year, amount, threshold
from reports.form_1099_totals
where is_reportable is null
