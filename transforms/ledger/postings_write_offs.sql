-- Write-off: debit bad debt, a discount allowed or returns, credit accounts receivable.
--
-- BILL has no such event; a person decides it.
--
-- grain: one row per posting line
-- key: document_type, document_id, event, line_key
-- owner: team:accounting
-- follows: document_id
-- published: no
-- columns: ledger.postings_in_full
with

write_offs_known as (
    select
        invoice_id, invoices.version,
        last_decided(decided.role, decided.decided_at, decided.rowid) as role,
        last_decided(decided.reason, decided.decided_at, decided.rowid) as reason
    from decisions.write_offs as decided
    inner join staging.invoices as invoices using (invoice_id)
    where decided.decided_at <= getvariable('as_of') and decided.decided_at <= invoices.known_at
    group by invoice_id, invoices.version
),

write_offs as (
    select settlements.*, write_offs_known.version, write_offs_known.role, write_offs_known.reason
    from ledger.settlements as settlements
    inner join write_offs_known on write_offs_known.invoice_id = settlements.settling_id
    where settlements.settling_type = 'invoice'
)

select
    'invoice' as document_type, settling_id as document_id, version, 'write_off' as event,
    'receivables' as line_key, date, date as document_date, party_id,
    roles.ar_control as account_id, -amount_home as amount, currency, -amount::decimal(18, 3) as amount_currency,
    settled_id as open_item_id, reason as description
from write_offs
cross join ledger.role_accounts as roles
union all by name
select
    'invoice' as document_type, settling_id as document_id, version, 'write_off' as event,
    'write_off' as line_key, date, date as document_date, party_id,
    case role
        when 'bad_debt' then roles.bad_debt
        when 'sales_discount' then roles.sales_discount
        else roles.short_pay
    end as account_id,
    amount_home as amount, currency, amount::decimal(18, 3) as amount_currency, reason as description
from write_offs
cross join ledger.role_accounts as roles
