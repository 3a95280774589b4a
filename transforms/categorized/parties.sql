-- Vendors and customers, and which of them are one party; a view, the journal keeps BILL's own ids.
--
-- grain: one row per vendor or customer
-- key: party_id
-- owner: team:accounting
with

-- What was resolved last; it heeds every merge and split that people had decided until then.
resolved as (
    select
        party_id,
        arg_max(merged_party_id, (decided_at, rowid)) as merged_party_id,
        arg_max(firm_party_id, (decided_at, rowid)) as firm_party_id,
        arg_max(firm_party, (decided_at, rowid)) as firm_party,
        max(decided_at) as decided_at
    from decisions.party_resolutions
    where decided_at <= getvariable('as_of')
    group by party_id
),

-- A person's merge counts at once, before parties are resolved again.
links as (
    select
        party_id,
        arg_max(same_as_party_id, (decided_at, rowid)) as same_as_party_id,
        arg_max(withdrawn, (decided_at, rowid)) as withdrawn,
        max(decided_at) as decided_at
    from decisions.party_links
    where decided_at <= getvariable('as_of')
    group by party_id
)

select
    parties.party_id,           -- BILL's id; renames and merges never change it.
    parties.party_type,         -- vendor or customer.
    parties.party,              -- Name as BILL last reported it.
    case
        when links.decided_at > coalesce(resolved.decided_at, timestamp '0001-01-01')
            then if(links.withdrawn, parties.party_id, links.same_as_party_id)
        else coalesce(resolved.merged_party_id, parties.party_id)
    end as merged_party_id,     -- The vendor or customer that stands for all spellings of this party.
    resolved.firm_party_id,     -- Id of the party across vendors, customers and clients.
    coalesce(resolved.firm_party, parties.party) as firm_party,  -- Its name across spellings.
    parties.currency,           -- Currency in which it bills or is billed; null: home.
    parties.is_1099_vendor,     -- BILL's flag to track payments for Form 1099.
    parties.is_archived         -- No longer offered in BILL.
from staging.parties as parties
left join resolved using (party_id)
left join links using (party_id)
