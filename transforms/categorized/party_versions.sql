-- Vendors and customers, which of them were one party, and in which syncs and decisions that was known.
--
-- grain: one row per vendor or customer and run of moments that knew the same of it
-- key: party_type, party_id, known_from
-- owner: team:accounting
with recursive

-- What was resolved last; it heeds every merge and split that people had decided until then.
resolved as (
    select party_id, decided_at, merged_party_id, firm_party_id, firm_party
    from decisions.party_resolutions
    where decided_at <= getvariable('as_of')
    qualify row_number() over (partition by party_id, decided_at order by rowid desc) = 1
),

-- A person's merge counts at once, before parties are resolved again.
links as (
    select party_id, decided_at, same_as_party_id, withdrawn
    from decisions.party_links
    where decided_at <= getvariable('as_of')
    qualify row_number() over (partition by party_id, decided_at order by rowid desc) = 1
),

kept_apart as (
    select
        least(party_id, other_party_id) as first_id, greatest(party_id, other_party_id) as second_id,
        decided_at, not withdrawn as stands
    from decisions.party_splits
    where decided_at <= getvariable('as_of')
    qualify row_number() over (partition by first_id, second_id, decided_at order by rowid desc) = 1
),

moments as (
    select party_type, party_id, known_from as moment from staging.party_versions
    union
    select parties.party_type, parties.party_id, said.decided_at
    from staging.parties as parties
    inner join (
        select party_id, decided_at from resolved
        union all
        select party_id, decided_at from links
    ) as said on said.party_id = parties.party_id
    union
    select parties.party_type, parties.party_id, kept_apart.decided_at
    from staging.party_versions as parties
    inner join kept_apart
        on kept_apart.first_id = least(parties.party_id, parties.merged_into_party_id)
        and kept_apart.second_id = greatest(parties.party_id, parties.merged_into_party_id)
),

-- Nothing is known of a party before BILL lists it.
states as (
    select
        moments.moment, parties.* exclude (known_from, known_to),
        resolved.merged_party_id as resolved_party_id, resolved.firm_party_id, resolved.firm_party,
        links.same_as_party_id, links.withdrawn,
        links.decided_at > coalesce(resolved.decided_at, timestamp '0001-01-01') as is_said_later,
        least(moments.party_id, parties.merged_into_party_id) as first_id,
        greatest(moments.party_id, parties.merged_into_party_id) as second_id
    from moments
    asof inner join staging.party_versions as parties
        on parties.party_type = moments.party_type and parties.party_id = moments.party_id
        and moments.moment >= parties.known_from
    asof left join resolved on resolved.party_id = moments.party_id and moments.moment >= resolved.decided_at
    asof left join links on links.party_id = moments.party_id and moments.moment >= links.decided_at
),

-- Where each party points: a person's word comes first, then BILL's own merge, then the names.
pointing as (
    select
        states.party_type, states.party_id, states.moment,
        case
            when states.is_said_later and not states.withdrawn then states.same_as_party_id
            when states.merged_into_party_id is not null and not coalesce(kept_apart.stands, false)
                then states.merged_into_party_id
            when states.is_said_later then states.party_id
            else coalesce(states.resolved_party_id, states.party_id)
        end as next_id
    from states
    asof left join kept_apart
        on kept_apart.first_id = states.first_id and kept_apart.second_id = states.second_id
        and states.moment >= kept_apart.decided_at
),

pointers as (
    select
        *, lead(moment, 1, timestamp '9999-12-31') over (partition by party_type, party_id order by moment) as until
    from (
        select *
        from pointing
        qualify next_id is distinct from lag(next_id) over (partition by party_type, party_id order by moment)
    )
),

listed as (
    select party_type, party_id, min(known_from) as since from staging.party_versions group by all
),

-- Followed to the end, so that all of a chain are one, while all its links stood. A vendor and a
-- customer never are.
walk as (
    select
        pointers.party_type, pointers.party_id, pointers.next_id, [pointers.party_id] as passed,
        greatest(pointers.moment, target.since) as since, pointers.until
    from pointers
    inner join listed as target
        on target.party_type = pointers.party_type and target.party_id = pointers.next_id
    where pointers.next_id <> pointers.party_id and target.since < pointers.until
    union all
    select
        walk.party_type, walk.party_id, pointers.next_id, list_append(walk.passed, walk.next_id),
        greatest(walk.since, pointers.moment, target.since), least(walk.until, pointers.until)
    from walk
    inner join pointers on pointers.party_type = walk.party_type and pointers.party_id = walk.next_id
    inner join listed as target
        on target.party_type = pointers.party_type and target.party_id = pointers.next_id
    where pointers.next_id <> walk.next_id and not list_contains(walk.passed, walk.next_id)
        and greatest(walk.since, pointers.moment, target.since) < least(walk.until, pointers.until)
),

all_moments as (
    select party_type, party_id, moment from states
    union
    select party_type, party_id, since from walk
    union
    select party_type, party_id, until from walk where until < timestamp '9999-12-31'
),

-- Parties that point at each other in a ring are one too.
merged as (
    select
        all_moments.party_type, all_moments.party_id, all_moments.moment,
        if(
            list_contains(walk.passed, walk.next_id),
            list_min(walk.passed[list_position(walk.passed, walk.next_id):]),
            walk.next_id
        ) as merged_party_id
    from all_moments
    inner join walk
        on walk.party_type = all_moments.party_type and walk.party_id = all_moments.party_id
        and all_moments.moment >= walk.since and all_moments.moment < walk.until
    qualify row_number() over (
        partition by all_moments.party_type, all_moments.party_id, all_moments.moment
        order by len(walk.passed) desc
    ) = 1
),

known as (
    select
        all_moments.party_id, all_moments.moment,
        {
            'party_type': all_moments.party_type,
            'party': states.party,
            'merged_party_id': coalesce(merged.merged_party_id, all_moments.party_id),
            'firm_party_id': states.firm_party_id,
            'firm_party': coalesce(states.firm_party, states.party),
            'currency': states.currency,
            'is_1099_vendor': states.is_1099_vendor,
            'tax_id': states.tax_id,
            'is_archived': states.is_archived
        } as said
    from all_moments
    asof inner join states
        on states.party_type = all_moments.party_type and states.party_id = all_moments.party_id
        and all_moments.moment >= states.moment
    left join merged
        on merged.party_type = all_moments.party_type and merged.party_id = all_moments.party_id
        and merged.moment = all_moments.moment
),

changes as (
    select *
    from known
    qualify said is distinct from lag(said) over (partition by said.party_type, party_id order by moment)
)

select
    party_id,                                     -- BILL's id; renames and merges never change it.
    said.party_type as party_type,                -- vendor or customer.
    said.party as party,                          -- Name as BILL then reported it.
    said.merged_party_id as merged_party_id,      -- The vendor or customer that stood for all spellings of this party.
    said.firm_party_id as firm_party_id,          -- Id of the party across vendors, customers and clients.
    said.firm_party as firm_party,                -- Its name across spellings.
    said.currency as currency,                    -- Currency in which it bills or is billed; null: home.
    said.is_1099_vendor as is_1099_vendor,        -- BILL's flag to track payments for Form 1099.
    said.tax_id as tax_id,                        -- Taxpayer's number without separators, where BILL gives one.
    said.is_archived as is_archived,              -- No longer offered in BILL.
    moment as known_from,                         -- The sync or decision since which it was known so (UTC).
    lead(moment, 1, timestamp '9999-12-31') over (
        partition by said.party_type, party_id order by moment
    ) as known_to                                 -- The one that changed it (UTC).
from changes
