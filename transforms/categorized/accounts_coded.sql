-- The accounts that BILL names on lines, and whether only sales name them.
--
-- grain: one row per account
-- key: account_id
-- owner: team:accounting
select
    bill_account_id as account_id,                                         -- BILL's id of the account.
    bool_and(document_type in ('invoice', 'credit_memo')) as is_income     -- Only invoices and credit memos name it.
from categorized.lines
where bill_account_id is not null
group by bill_account_id
