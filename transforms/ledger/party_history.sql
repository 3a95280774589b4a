-- What BILL said of vendors and customers in each sync that changed it: reports as known then read it.
--
-- grain: one row per version of a party
-- key: party_id, version
-- owner: team:accounting
select
    id as party_id,                                                   -- BILL's id; renames and merges never change it.
    version,                                                          -- 1, 2, 3 … as we saw them.
    if(
        lag(version) over (partition by list, id order by version) is null, timestamp '0001-01-01', seen_at
    ) as known_from,                                                  -- The sync that brought this version (UTC); the first holds for all before.
    lead(seen_at, 1, timestamp '9999-12-31') over (
        partition by list, id order by version
    ) as known_to,                                                 -- The sync that brought the next one (UTC).
    if(list = 'vendors', 'vendor', 'customer') as party_type,         -- vendor or customer.
    coalesce(
        json_extract_string(document, '$.name'), json_extract_string(document, '$.companyName'), id
    ) as party,                                                       -- Name as BILL then reported it.
    coalesce(
        try_cast(json_extract_string(document, '$.additionalInfo.track1099') as boolean), false
    ) as is_1099_vendor,                                              -- BILL's flag to track payments for Form 1099.
    is_archived                                                       -- Not offered in BILL.
from staging.versions_known
where list in ('vendors', 'customers')
