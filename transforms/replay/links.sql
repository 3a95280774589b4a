-- Which documents' postings depend on each other, in any version: what pays, settles or details what.
--
-- grain: one row per pair of documents
with

documents as (
    select
        list, id,
        from_json(document, '{
            "billId": "VARCHAR", "vendorId": "VARCHAR", "amount": "VARCHAR", "fundingAmount": "VARCHAR",
            "exchangeRate": "VARCHAR",
            "billPayments": [{"billId": "VARCHAR", "vendorCredits": [{"id": "VARCHAR"}]}],
            "usage": [{"billId": "VARCHAR", "invoiceId": "VARCHAR", "paymentId": "VARCHAR"}],
            "invoicePayments": [{"invoiceId": "VARCHAR"}]
        }') as d
    from replay_versions
    where list in ('bills', 'payments', 'vendor_credits', 'received_payments', 'credit_memos')
),

bills_paid as (
    select list, id, unnest(d.billPayments) as paid from documents where list = 'payments'
),

uses as (
    select list, id, unnest(d.usage) as used from documents
),

-- A foreign credit takes the rate of its vendor's latest bill, so these are linked too. A vendor
-- is foreign when it says so, or when a bill is worth another amount than it shows.
foreign_vendors as (
    select distinct id
    from replay_versions
    where list = 'vendors' and json_extract_string(document, '$.billCurrency') is not null
        and json_extract_string(document, '$.billCurrency') not in (
            select 'USD' where not exists (select 1 from decisions.policies where name = 'home_currency')
        )
    union
    select d.vendorId
    from documents
    where list = 'bills' and (d.fundingAmount <> d.amount or try_cast(d.exchangeRate as double) <> 1)
),

credited_vendors as (
    select distinct d.vendorId as vendor_id
    from documents
    semi join foreign_vendors on foreign_vendors.id = documents.d.vendorId
    where list = 'vendor_credits'
),

links (list, id, other_list, other_id) as (
    select list, id, 'bills', paid.billId from bills_paid
    union all
    select list, id, 'bills', d.billId from documents where list = 'payments'
    union all
    select list, id, 'vendor_credits', unnest(list_transform(paid.vendorCredits, credit -> credit.id)) from bills_paid
    union all
    select list, id, 'bills', used.billId from uses
    union all
    select list, id, 'invoices', used.invoiceId from uses
    union all
    select list, id, 'payments', used.paymentId from uses
    union all
    select list, id, 'invoices', unnest(list_transform(d.invoicePayments, paid -> paid.invoiceId)) from documents
    union all
    select list, id, if(list = 'bill_details', 'bills', 'invoices'), id
    from replay_versions
    where list in ('bill_details', 'invoice_details')
    union all
    select list, id, 'vendors', d.vendorId
    from documents
    semi join credited_vendors on credited_vendors.vendor_id = documents.d.vendorId
    where list in ('bills', 'vendor_credits')
)

select distinct list, id, other_list, other_id
from links
where other_id is not null
