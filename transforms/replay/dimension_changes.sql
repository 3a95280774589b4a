-- When a vendor, customer, item, account or bank account changed in what posting reads of it.
--
-- grain: one row per dimension value and batch
with

readings as (
    select
        list, id, version, batch_no,
        case
            when list = 'chart_of_accounts' then 'there'
            -- A document keeps the currency known for it: only one that was never named before may matter.
            when list in ('vendors', 'customers') then len(list_distinct(list(
                coalesce(json_extract_string(document, '$.billCurrency'), json_extract_string(document, '$.invoiceCurrency'))
            ) over (partition by list, id order by version)))::varchar
            else concat_ws(
                chr(31), 'there',
                coalesce(json_extract_string(document, '$.chartOfAccountId'), ''),
                coalesce(json_extract_string(document, '$.expenseChartOfAccountId'), '')
            )
        end as reading
    from replay_versions
    where list in ('vendors', 'customers', 'items', 'chart_of_accounts', 'bank_accounts')
)

select distinct list, id, batch_no
from readings
qualify reading is distinct from lag(reading) over (partition by list, id order by version)
