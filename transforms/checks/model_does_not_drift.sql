-- The newest month gives no reason to doubt the model: few overruled, as sure as before.
--
-- table: reports.model_health
-- severity: warn
select month, line_count, confidence, new_party_share, overruled_share, alarm
from reports.model_health
where alarm is not null and month = (select max(month) from reports.model_health)
