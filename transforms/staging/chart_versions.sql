-- Every version of every account in BILL's chart, with the place that its type has in the statements.
--
-- grain: one row per account in BILL and version
-- key: account_id, version
-- owner: team:accounting
with

documents as (
    select
        id,
        version,
        seen_at,
        is_archived,
        from_json(document, '{
            "name": "VARCHAR", "description": "VARCHAR", "parentId": "VARCHAR",
            "account": {"type": "VARCHAR", "number": "VARCHAR"}
        }') as d
    from staging.versions_known
    where list = 'chart_of_accounts'
),

bill_types (bill_type, account_type, account_subtype, normal_balance, statement, statement_section, cash_flow_activity) as (
    values
    ('ACCOUNTS_PAYABLE', 'Liability', 'Accounts Payable', 'credit', 'Balance Sheet', 'Current Liabilities', 'operating'),
    ('ACCOUNTS_RECEIVABLE', 'Asset', 'Accounts Receivable', 'debit', 'Balance Sheet', 'Current Assets', 'operating'),
    ('BANK', 'Asset', 'Bank', 'debit', 'Balance Sheet', 'Current Assets', 'cash'),
    ('COST_OF_GOODS_SOLD', 'Cost of Goods Sold', 'COGS', 'debit', 'Income Statement', 'Cost of Goods Sold', 'operating'),
    ('CREDIT_CARD', 'Liability', 'Credit Card', 'credit', 'Balance Sheet', 'Current Liabilities', 'operating'),
    ('EQUITY', 'Equity', 'Owner Equity', 'credit', 'Balance Sheet', 'Equity', 'financing'),
    ('EXPENSE', 'Expense', 'Operating Expense', 'debit', 'Income Statement', 'Operating Expenses', 'operating'),
    ('FIXED_ASSET', 'Asset', 'Fixed Asset', 'debit', 'Balance Sheet', 'Fixed Assets', 'investing'),
    ('INCOME', 'Revenue', 'Operating Revenue', 'credit', 'Income Statement', 'Revenue', 'operating'),
    ('LONG_TERM_LIABILITY', 'Liability', 'Long-term Debt', 'credit', 'Balance Sheet', 'Long-term Liabilities', 'financing'),
    ('OTHER_ASSET', 'Asset', 'Other Asset', 'debit', 'Balance Sheet', 'Other Assets', 'investing'),
    ('OTHER_CURRENT_ASSET', 'Asset', 'Other Current Asset', 'debit', 'Balance Sheet', 'Current Assets', 'operating'),
    ('OTHER_CURRENT_LIABILITY', 'Liability', 'Other Current Liability', 'credit', 'Balance Sheet', 'Current Liabilities', 'operating'),
    ('OTHER_EXPENSE', 'Other Expense', 'Non-operating', 'debit', 'Income Statement', 'Other Expense', 'operating'),
    ('OTHER_INCOME', 'Other Income', 'Non-operating', 'credit', 'Income Statement', 'Other Income', 'operating')
)

select
    documents.id as account_id,                                          -- BILL's id of the account.
    documents.version,                                                   -- 1, 2, 3 … as we saw them.
    documents.seen_at,                                                   -- The sync that brought this version.
    documents.d.account.number as account_number,                        -- The client's number, if it uses numbers.
    coalesce(documents.d.name, documents.id) as account_name,            -- The client's name for it.
    coalesce(bill_types.account_type, 'Expense') as account_type,        -- Asset, Liability, Equity, Revenue …
    coalesce(bill_types.account_subtype, 'Unspecified') as account_subtype,  -- Finer kind, from BILL's type.
    coalesce(bill_types.normal_balance, 'debit') as normal_balance,      -- debit or credit: the side on which it grows.
    coalesce(bill_types.statement, 'Income Statement') as statement,     -- Balance Sheet or Income Statement.
    coalesce(bill_types.statement_section, 'Operating Expenses') as statement_section,  -- Heading in the statement.
    coalesce(bill_types.cash_flow_activity, 'operating') as cash_flow_activity,  -- cash, operating, investing or financing.
    coalesce(documents.d.account.type, 'UNSPECIFIED') as bill_account_type,  -- BILL's own type.
    documents.d.parentId as parent_account_id,                           -- The account above it, if any.
    documents.is_archived                                                -- No longer offered in BILL; its history stays.
from documents
left join bill_types on bill_types.bill_type = documents.d.account.type
