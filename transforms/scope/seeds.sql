-- Documents that may be booked otherwise than before: a version of theirs is new, something was decided
-- about them, or a build found that they change.
--
-- grain: one row per document; null stands for all of them
select id
from raw.document_versions
where seen_at > getvariable('built_at') and seen_at <= getvariable('as_of')
    and (document_type_of(list) is not null or list in ('bill_details', 'invoice_details'))
union
select document_id
from decisions.categories
where decided_at > getvariable('built_at') and decided_at <= getvariable('as_of')
union
select invoice_id
from decisions.write_offs
where decided_at > getvariable('built_at') and decided_at <= getvariable('as_of')
union
select received_payment_id
from decisions.processing_fees
where decided_at > getvariable('built_at') and decided_at <= getvariable('as_of')
union
-- A foreign credit takes the rate of its vendor's latest bill.
select credits.vendor_credit_id
from staging.vendor_credits as credits
inner join (
    select
        json_extract_string(without_empty_references(document), '$.vendorId') as vendor_id,
        bool_or(coalesce(
            json_extract_string(without_empty_references(document), '$.fundingAmount') <> json_extract_string(without_empty_references(document), '$.amount')
            or try_cast(json_extract_string(without_empty_references(document), '$.exchangeRate') as double) <> 1, false
        )) as is_priced
    from raw.document_versions
    where list = 'bills' and id in (
        select id from raw.document_versions
        where list in ('bills', 'bill_details')
            and seen_at > getvariable('built_at') and seen_at <= getvariable('as_of')
    )
    group by all
) as billed on billed.vendor_id = credits.vendor_id
where billed.is_priced or credits.is_foreign
    or credits.vendor_id in (select vendor_id from staging.bills where is_foreign)
    or credits.vendor_id in (select party_id from staging.party_currencies where foreign_currency is not null)
