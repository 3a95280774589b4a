-- Vendors and customers, BILL itself among the vendors.
--
-- grain: one row per party
-- key: party_id
-- owner: team:accounting
-- named: parties
-- columns: categorized.party_versions
-- macro: parties_at(known_at)
with

parties as (
    select *
    from ledger.party_versions
    where known_from <= coalesce(getvariable('known_at'), timestamp '9999-12-30')
        and known_to > coalesce(getvariable('known_at'), timestamp '9999-12-30')
),

merged as (
    select
        merged_party_id,
        max(party) filter (where party_id = merged_party_id) as merged_party,
        max(tax_record_id) filter (where party_id = merged_party_id) as tax_record_id,
        count(distinct tax_record_id) = 1 as has_one_tax_id,
        max(tax_record_id) as a_tax_record_id
    from parties
    group by merged_party_id
),

-- A record without a number is of the taxpayer that the records merged with it are of, if they
-- are of one, else of the one that stands for them.
taxpayers as (
    select
        parties.*,
        merged.merged_party,
        coalesce(
            parties.tax_record_id, merged.tax_record_id, if(merged.has_one_tax_id, merged.a_tax_record_id, null)
        ) as payee_record_id
    from parties
    inner join merged using (merged_party_id)
)

select
    party_id, party_type,
    party,              -- Name as BILL last reported it.
    merged_party_id,    -- The vendor or customer that stands for all spellings of this party, else itself; reports count by it.
    merged_party,       -- Name of that vendor or customer as BILL last reported it.
    if(
        payee_record_id is null,
        merged_party_id,
        first_value(party_id) over (
            partition by party_type, payee_record_id
            order by tax_record_id is null, party_id <> merged_party_id, party_id
        )
    ) as taxpayer_id,   -- The party that stands for all records of one taxpayer: by tax id where BILL gives one, else by merged party.
    firm_party_id, firm_party, currency, is_1099_vendor, is_archived
from taxpayers
