-- Products and services with the accounts BILL books them to.
--
-- grain: one row per item
-- key: item_id
-- owner: team:accounting
-- named: items
with

documents as (
    select
        id,
        from_json(document, '{
            "name": "VARCHAR", "type": "VARCHAR", "chartOfAccountId": "VARCHAR",
            "expenseChartOfAccountId": "VARCHAR"
        }') as d
    from staging.documents_known
    where list = 'items'
)

select
    id as item_id,                                                               -- BILL's id of the item.
    coalesce(d.name, id) as item_name,                                           -- Name as BILL last reported it.
    d.type as item_type,                                                         -- BILL's kind: INVENTORY, SALES_TAX …
    d.chartOfAccountId as income_account_id,                                     -- Account when it is sold.
    coalesce(d.expenseChartOfAccountId, d.chartOfAccountId) as expense_account_id  -- Account when it is bought.
from documents
