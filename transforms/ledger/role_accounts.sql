-- The account of every role, side by side, for the posting rules.
--
-- grain: one row for the client
-- key: ap_control
-- owner: team:accounting
-- published: no
select
    max(account_id) filter (where role = 'ap_control') as ap_control,                    -- Accounts payable.
    max(account_id) filter (where role = 'ar_control') as ar_control,                    -- Accounts receivable.
    max(account_id) filter (where role = 'ap_clearing') as ap_clearing,                  -- BILL money out clearing.
    max(account_id) filter (where role = 'ar_clearing') as ar_clearing,                  -- BILL money in clearing.
    max(account_id) filter (where role = 'undeposited_funds') as undeposited_funds,      -- Receipts not yet at the bank.
    max(account_id) filter (where role = 'default_bank') as default_bank,                -- Bank where BILL names none.
    max(account_id) filter (where role = 'card_default') as card_default,                -- Card where BILL names none.
    max(account_id) filter (where role = 'bill_balance') as bill_balance,                -- Money held at BILL.
    max(account_id) filter (where role = 'vendor_advances') as vendor_advances,          -- Paid before the bill.
    max(account_id) filter (where role = 'customer_credits') as customer_credits,        -- Received before the invoice.
    max(account_id) filter (where role = 'sales_tax') as sales_tax,                      -- Sales tax payable.
    max(account_id) filter (where role = 'bill_fees') as bill_fees,                      -- What BILL charges.
    max(account_id) filter (where role = 'merchant_fees') as merchant_fees,              -- Fees on receipts.
    max(account_id) filter (where role = 'fx_realized') as fx_realized,                  -- Realized exchange gain or loss.
    max(account_id) filter (where role = 'fx_unrealized') as fx_unrealized,              -- Unrealized exchange gain or loss.
    max(account_id) filter (where role = 'rounding') as rounding,                        -- Cents between header and lines.
    max(account_id) filter (where role = 'suspense') as suspense,                        -- What a person must look at.
    max(account_id) filter (where role = 'opening_balance') as opening_balance,          -- Offset of opening entries.
    max(account_id) filter (where role = 'retained_earnings') as retained_earnings,      -- Earnings of earlier years.
    max(account_id) filter (where role = 'bad_debt') as bad_debt,                        -- Written-off invoices.
    max(account_id) filter (where role = 'sales_discount') as sales_discount,            -- Discounts allowed.
    max(account_id) filter (where role = 'short_pay') as short_pay,                      -- Short pays and returns.
    -- An account that once was a control account stays closed to document lines.
    (
        select coalesce(list(distinct account_id order by account_id), [])
        from decisions.account_roles
        where decided_at <= getvariable('as_of') and role in ('ap_control', 'ar_control')
    ) as control_accounts                                                                -- Every account that is or was payables or receivables.
from categorized.account_roles
