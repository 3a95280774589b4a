-- The chart of accounts that fills the roles a client's own chart leaves open, and an account for each card.
--
-- grain: one row per standard account
-- key: account_id
-- owner: team:accounting
select
    'standard:' || code as account_id,  -- Our id; BILL's own ids never contain a colon.
    code as account_number,             -- Number in the standard chart.
    name as account_name,               -- Name in the standard chart.
    type as account_type,               -- Asset, Liability, Equity, Revenue, Cost of Goods Sold …
    subtype as account_subtype,         -- Bank, Clearing, Operating Expense …
    normal_balance,                     -- debit or credit: the side on which it grows.
    statement,                          -- Balance Sheet or Income Statement.
    statement_section,                  -- Heading under which the statement shows it.
    cash_flow_activity,                 -- cash, operating, investing or financing; null for suspense.
    system_role                         -- Role in the posting rules, or null.
from read_csv(getvariable('standard_chart'), header = true, all_varchar = true)
union all
-- What is owed on one card is not what is owed on another.
select
    'card:' || card_id, null,
    -- Two cards of one name are told apart by BILL's ids.
    if(count(*) over (partition by lower(card_name)) > 1, card_name || ' ' || card_id, card_name),
    card.type, card.subtype, card.normal_balance, card.statement,
    card.statement_section, card.cash_flow_activity, null
from staging.cards
inner join read_csv(getvariable('standard_chart'), header = true, all_varchar = true) as card
    on card.system_role = 'card_default'
where is_used
