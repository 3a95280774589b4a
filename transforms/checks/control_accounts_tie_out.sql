-- The clearing accounts hold what is listed as in flight, and every control account ties to documents.
--
-- table: reports.tie_out
-- severity: error
select claim, amount_in_ledger, amount_in_documents, difference
from reports.tie_out
where difference <> 0 and claim not like '%BILL says%'
    -- The lists are of the report's day; entries dated later are not in them.
    and not exists (select 1 from ledger.journal_lines where date > getvariable('report_date'))
