-- Write-off: debit bad debt, a discount allowed or returns, credit accounts receivable.
--
-- BILL has no such event; a person decides it.
--
-- grain: one row per posting line
-- key: document_type, document_id, event, line_key
-- owner: team:accounting
-- published: no
with

write_offs_known as (
    select
        invoice_id, invoices.version,
        arg_max(decided.role, (decided.decided_at, decided.rowid)) as role,
        arg_max(decided.reason, (decided.decided_at, decided.rowid)) as reason
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
),

postings as (
    select
        'invoice' as document_type, settling_id as document_id, version, 'write_off' as event,
        'receivables' as line_key, date, date as document_date, party_id,
        roles.ar_control as account_id, -amount_home as amount, currency, -amount as amount_currency,
        null::varchar as class_id, null::varchar as department_id, null::varchar as location_id,
        null::varchar as job_id, settled_id as open_item_id, null::varchar as source_line_id,
        null::varchar as category_source, reason as description
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
        amount_home as amount, currency, amount as amount_currency, reason as description
    from write_offs
    cross join ledger.role_accounts as roles
)

select
    document_type,                        -- Kind of BILL document.
    document_id,                          -- BILL's id of the document.
    version,                              -- Version of the document in the archive.
    event,                                -- What happened to it; one entry per event.
    line_key,                             -- Tells the entry's lines apart; the line's id where it has one.
    date,                                 -- Day it counts for.
    document_date,                        -- Day BILL shows.
    party_id,                             -- Vendor or customer.
    account_id,                           -- Account debited (+) or credited (-).
    amount::decimal(18, 2) as amount,     -- Home currency, debit positive.
    currency,                             -- Currency of the document.
    amount_currency::decimal(18, 3) as amount_currency,  -- The same in the document's currency.
    class_id,                             -- Accounting class.
    department_id,                        -- Department.
    location_id,                          -- Location.
    job_id,                               -- Job.
    open_item_id,                         -- Document that this opens or settles, on control and clearing accounts.
    source_line_id,                       -- BILL's line it came from, if any.
    category_source,                      -- Who chose the account: bill, person, rule, model, default; null for a role.
    description                           -- Text for people.
from postings
where amount <> 0 or amount_currency <> 0
