-- Opened document: debit or credit its control account with what was open when the books begin, and the opposite to opening balance equity.
--
-- A bill, credit, invoice or memo of an earlier day opens with its rest, and a payment or receipt
-- with what it had not paid yet. Earnings, costs and cash of before are in the opening balances.
--
-- grain: one row per posting line
-- key: document_type, document_id, event, line_key
-- owner: team:accounting
-- published: no
with

control_accounts as (
    select unnest([
        {'account_id': ap_control, 'control': 'payables'},
        {'account_id': ar_control, 'control': 'receivables'},
        {'account_id': vendor_advances, 'control': 'vendor_advances'},
        {'account_id': customer_credits, 'control': 'customer_credits'}
    ], recursive := true)
    from ledger.role_accounts
),

-- Every line of its control account names the open item, whichever document wrote it.
open_items as (
    select
        controls.control, postings.account_id, postings.open_item_id, postings.party_id,
        postings.currency, sum(postings.amount) as amount,
        sum(postings.amount_currency) as amount_currency,
        -- The document itself opened the item; what settled it only names it.
        max(postings.document_type) filter (where postings.document_id = postings.open_item_id)
            as document_type,
        max(postings.version) filter (where postings.document_id = postings.open_item_id) as version,
        max(postings.document_date) filter (where postings.document_id = postings.open_item_id)
            as document_date,
        max(postings.description) filter (where postings.document_id = postings.open_item_id)
            as description,
        any_value(policies.books_begin_on) as date
    from ledger.postings_in_full as postings
    inner join control_accounts as controls using (account_id)
    inner join staging.policies as policies on postings.date <= policies.books_begin_on
    where postings.document_type <> 'opening_balance' and postings.open_item_id is not null
    group by controls.control, postings.account_id, postings.open_item_id, postings.party_id, postings.currency
    having sum(postings.amount) <> 0 or sum(postings.amount_currency) <> 0
),

numbered as (
    select
        *,
        row_number() over (
            partition by document_type, open_item_id, control order by party_id, currency, account_id
        ) as part_no
    from open_items
),

entry_lines as (
    select *, if(part_no = 1, control, control || '-' || part_no) as line_key from numbered
    union all by name
    select
        * replace (-amount as amount, -amount_currency as amount_currency, opening_balance as account_id),
        'opening_balance:' || if(part_no = 1, control, control || '-' || part_no) as line_key,
        true as is_offset
    from numbered
    cross join (select opening_balance from ledger.role_accounts)
),

postings as (
    select
        document_type, open_item_id as document_id, version, 'opened' as event, line_key, date,
        document_date, party_id, account_id, amount, currency, amount_currency,
        null::varchar as class_id, null::varchar as department_id, null::varchar as location_id,
        null::varchar as job_id, if(is_offset, null, open_item_id) as open_item_id,
        null::varchar as source_line_id, null::varchar as category_source, description
    from entry_lines
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
