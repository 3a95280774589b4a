-- The client's own chart of accounts in BILL, with its place in the statements.
--
-- grain: one row per account in BILL
-- key: account_id
-- owner: team:accounting
with

accounts as (
    select *
    from staging.chart_versions
    qualify version = max(version) over (partition by account_id)
),

-- Only BILL's older interface says which box of Form 1099 an account's payments belong in.
boxes as (
    select
        id,
        case from_json(document, '{"ca1099FormType": "VARCHAR"}').ca1099FormType
            when '1' then '1099-MISC'
            when '2' then '1099-NEC'
        end as form,
        try_cast(from_json(document, '{"ca1099Type": "VARCHAR"}').ca1099Type as integer) as box
    from staging.documents_known
    where list = 'account_details' and not is_archived
)

select
    accounts.account_id,                                                 -- BILL's id of the account.
    accounts.account_number,                                             -- The client's number, if it uses numbers.
    accounts.account_name,                                               -- The client's name for it.
    accounts.account_type,                                               -- Asset, Liability, Equity, Revenue …
    accounts.account_subtype,                                            -- Finer kind, from BILL's type.
    accounts.normal_balance,                                             -- debit or credit: the side on which it grows.
    accounts.statement,                                                  -- Balance Sheet or Income Statement.
    accounts.statement_section,                                          -- Heading in the statement.
    accounts.cash_flow_activity,                                         -- cash, operating, investing or financing.
    accounts.bill_account_type,                                          -- BILL's own type.
    accounts.parent_account_id,                                          -- The account above it, if any.
    boxes.form as form_1099,                                             -- 1099-MISC or 1099-NEC, where BILL says so.
    if(boxes.form is null, null, nullif(boxes.box, 0)) as box_1099,      -- Box of that form.
    accounts.is_archived                                                 -- No longer offered in BILL; its history stays.
from accounts
left join boxes on boxes.id = accounts.account_id
