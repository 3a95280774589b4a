-- When the amounts that a document has were first seen, where its party's currency changed meanwhile.
--
-- A payment or a new status is a new version of a document with the worth it had: it says nothing
-- about its currency. Nor does a worth in dollars or a rate that BILL adds to the amounts or leaves out,
-- or another amount that is worth as many dollars as it shows, as before. Documents whose party always
-- had one currency need no row here.
--
-- grain: one row per document and version
-- key: list, id, version
-- owner: team:accounting
-- follows: id
with

parties_changed as (
    select party_id from staging.party_currencies group by party_id having count(*) > 1
),

documents as (
    select
        list, id, version, seen_at,
        coalesce(
            json_extract_string(without_empty_references(document), '$.vendorId'),
            json_extract_string(without_empty_references(document), '$.customerId')
        ) as party_id,
        json_extract_string(document, ['$.amount', '$.totalAmount']) as amounts,
        json_extract_string(document, '$.fundingAmount') as funding,
        json_extract_string(document, '$.exchangeRate') as rate
    from raw.document_versions
    where list in ('bills', 'vendor_credits', 'payments', 'invoices', 'credit_memos', 'received_payments')
        and seen_at <= getvariable('as_of')
),

worths as (
    select
        list, id, version, seen_at, party_id, coalesce(amounts[1] = funding, false) as is_as_shown,
        if(is_as_shown, ['as shown'], amounts) as amounts,
        if(is_as_shown, null, funding) as funding,
        if(is_as_shown, null, rate) as rate
    from documents
    semi join parties_changed using (party_id)
),

changes as (
    select
        *,
        (party_id, amounts) is distinct from lag((party_id, amounts)) over (partition by list, id order by version)
        or coalesce(funding <> last_value(funding ignore nulls) over before, false)
        or coalesce(rate <> last_value(rate ignore nulls) over before, false) as is_change
    from worths
    window before as (
        partition by list, id order by version rows between unbounded preceding and 1 preceding
    )
)

select
    list,                                                   -- The BILL list, for example bills.
    id,                                                     -- BILL's id of the document.
    version,                                                -- Version in the archive.
    max(if(is_change, seen_at, null)) over (partition by list, id order by version) as worth_seen_at  -- The sync that brought these amounts.
from changes
