-- Vendors and customers, and which of them are one party; a view, the journal keeps BILL's own ids.
--
-- grain: one row per vendor or customer
-- key: party_id
-- owner: team:accounting
with recursive

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
),

said_later as (
    select links.*
    from links
    left join resolved using (party_id)
    where links.decided_at > coalesce(resolved.decided_at, timestamp '0001-01-01')
),

kept_apart as (
    select
        least(party_id, other_party_id) as first_id, greatest(party_id, other_party_id) as second_id,
        not arg_max(withdrawn, (decided_at, rowid)) as stands
    from decisions.party_splits
    where decided_at <= getvariable('as_of')
    group by all
),

-- Where each party points: a person's word comes first, then BILL's own merge, then the names.
pointers as (
    select
        parties.party_id,
        parties.party_type,
        case
            when not said_later.withdrawn then said_later.same_as_party_id
            when parties.merged_into_party_id is not null and not coalesce(kept_apart.stands, false)
                then parties.merged_into_party_id
            when said_later.withdrawn then parties.party_id
            else coalesce(resolved.merged_party_id, parties.party_id)
        end as next_id
    from staging.parties as parties
    left join resolved using (party_id)
    left join said_later using (party_id)
    left join kept_apart
        on kept_apart.first_id = least(parties.party_id, parties.merged_into_party_id)
        and kept_apart.second_id = greatest(parties.party_id, parties.merged_into_party_id)
),

-- Followed to the end, so that all of a chain are one. A vendor and a customer never are.
walk as (
    select pointers.party_id, pointers.next_id, [pointers.party_id] as passed
    from pointers
    inner join pointers as target
        on target.party_id = pointers.next_id and target.party_type = pointers.party_type
    where pointers.next_id <> pointers.party_id
    union all
    select walk.party_id, pointers.next_id, list_append(walk.passed, walk.next_id)
    from walk
    inner join pointers on pointers.party_id = walk.next_id
    inner join pointers as target
        on target.party_id = pointers.next_id and target.party_type = pointers.party_type
    where pointers.next_id <> walk.next_id and not list_contains(walk.passed, walk.next_id)
),

-- Parties that point at each other in a ring are one too.
merged as (
    select
        party_id,
        if(
            list_contains(passed, next_id),
            list_min(passed[list_position(passed, next_id):]),
            next_id
        ) as merged_party_id
    from walk
    qualify row_number() over (partition by party_id order by len(passed) desc) = 1
)

select
    parties.party_id,           -- BILL's id; renames and merges never change it.
    parties.party_type,         -- vendor or customer.
    parties.party,              -- Name as BILL last reported it.
    coalesce(merged.merged_party_id, parties.party_id) as merged_party_id,  -- The vendor or customer that stands for all spellings of this party.
    resolved.firm_party_id,     -- Id of the party across vendors, customers and clients.
    coalesce(resolved.firm_party, parties.party) as firm_party,  -- Its name across spellings.
    parties.currency,           -- Currency in which it bills or is billed; null: home.
    parties.is_1099_vendor,     -- BILL's flag to track payments for Form 1099.
    parties.tax_id,             -- Taxpayer's number without separators, where BILL gives one.
    parties.is_archived         -- No longer offered in BILL.
from staging.parties as parties
left join merged using (party_id)
left join resolved using (party_id)
