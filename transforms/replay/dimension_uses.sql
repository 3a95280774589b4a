-- Which documents name which vendor, customer, item or bank account, and the first batch that knew it.
--
-- grain: one row per dimension value and document
with

documents as (
    select
        list, id, batch_no,
        from_json(document, '{
            "vendorId": "VARCHAR", "customerId": "VARCHAR", "bankAccountId": "VARCHAR",
            "fundingAccount": {"id": "VARCHAR"}, "receivablesAccount": {"id": "VARCHAR"},
            "classifications": {"itemId": "VARCHAR"},
            "billLineItems": [{"classifications": {"itemId": "VARCHAR"}}],
            "vendorCreditLineItems": [{"classifications": {"itemId": "VARCHAR"}}],
            "invoiceLineItems": [{"classifications": {"itemId": "VARCHAR"}}],
            "creditMemoLineItems": [{"classifications": {"itemId": "VARCHAR"}}]
        }') as d
    from replay_versions
    where list in (
        'bills', 'payments', 'vendor_credits', 'invoices', 'received_payments', 'credit_memos', 'money_movements'
    )
),

uses (dimension_list, dimension_id, list, id, batch_no) as (
    select 'vendors', d.vendorId, list, id, batch_no from documents
    union all
    select 'customers', d.customerId, list, id, batch_no from documents
    union all
    select 'bank_accounts', d.bankAccountId, list, id, batch_no from documents
    union all
    select 'bank_accounts', d.fundingAccount.id, list, id, batch_no from documents
    union all
    select 'bank_accounts', d.receivablesAccount.id, list, id, batch_no from documents
    union all
    select 'chart_of_accounts', d.receivablesAccount.id, list, id, batch_no from documents
    union all
    select 'items', d.classifications.itemId, list, id, batch_no from documents
    union all
    select
        'items',
        unnest(list_concat(
            list_transform(d.billLineItems, line -> line.classifications.itemId),
            list_transform(d.vendorCreditLineItems, line -> line.classifications.itemId),
            list_transform(d.invoiceLineItems, line -> line.classifications.itemId),
            list_transform(d.creditMemoLineItems, line -> line.classifications.itemId)
        )),
        list, id, batch_no
    from documents
)

select dimension_list, dimension_id, list, id, min(batch_no) as batch_no
from uses
where dimension_id is not null
group by all
