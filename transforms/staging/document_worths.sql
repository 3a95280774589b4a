-- When the amounts that a document has were first seen, where its party's currency changed meanwhile.
--
-- A payment or a new status is a new version of a document with the worth it had: it says nothing
-- about its currency. Nor does another amount that is worth as many dollars as it shows, as before. Documents whose party always had one currency need no row here.
--
-- grain: one row per document and version
-- key: list, id, version
-- owner: team:accounting
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
        json_extract_string(document, ['$.amount', '$.totalAmount', '$.fundingAmount', '$.exchangeRate']) as worth
    from raw.document_versions
    where list in ('bills', 'vendor_credits', 'payments', 'invoices', 'credit_memos', 'received_payments')
        and seen_at <= getvariable('as_of')
),

changes as (
    select
        *,
        (party_id, worth) is distinct from lag((party_id, worth)) over (partition by list, id order by version)
            as is_change
    from (select * replace (if(worth[1] = worth[3], ['as shown'], worth) as worth) from documents) as documents
    semi join parties_changed using (party_id)
)

select
    list,                                                   -- The BILL list, for example bills.
    id,                                                     -- BILL's id of the document.
    version,                                                -- Version in the archive.
    max(if(is_change, seen_at, null)) over (partition by list, id order by version) as worth_seen_at  -- The sync that brought these amounts.
from changes
