-- The bank accounts connected to BILL and the ledger account each stands for.
--
-- grain: one row per bank account
-- key: bank_account_id
-- owner: team:accounting
with

documents as (
    select
        id,
        is_archived,
        from_json(document, '{
            "bankName": "VARCHAR", "nameOnAccount": "VARCHAR", "chartOfAccountId": "VARCHAR",
            "default": {"payables": "BOOLEAN", "receivables": "BOOLEAN"}
        }') as d
    from staging.documents_known
    where list = 'bank_accounts'
)

select
    id as bank_account_id,                                            -- BILL's id of the bank account.
    coalesce(d.bankName, d.nameOnAccount, id) as bank_account_name,   -- Bank's name as BILL has it.
    d.chartOfAccountId as account_id,                                 -- The ledger account it is linked to, if any.
    coalesce(d."default".payables, false) as is_default_for_payables, -- BILL pays from it unless told otherwise.
    is_archived                                                       -- No longer used in BILL.
from documents
