-- Opened document: debit or credit its control account with what was open when the books begin, and the opposite to opening balance equity.
--
-- A bill, credit, invoice or memo of an earlier day opens with its rest, and a payment or receipt
-- with what it had not paid yet. Earnings, costs and cash of before are in the opening balances.
-- Opening balance equity has a line for each of the document's own lines, with its part of the rest;
-- its key names the account that the line is coded to. So the journal tells what the cash basis takes
-- up when the document is paid, and a coding changed after a close is a late adjustment as any other.
--
-- grain: one row per posting line
-- key: document_type, document_id, event, line_key
-- owner: team:accounting
-- follows: document_id
-- published: no
-- columns: ledger.postings_in_full
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

lines_of_before as (
    select
        postings.document_type, postings.document_id as open_item_id, postings.line_key,
        postings.account_id as coded_account_id, postings.class_id, postings.department_id,
        postings.location_id, postings.job_id, postings.amount as line_amount,
        sum(postings.amount) over (
            partition by postings.document_type, postings.document_id order by postings.line_key
        ) as line_amount_so_far,
        sum(postings.amount) over (partition by postings.document_type, postings.document_id) as line_total
    from ledger.postings_in_full as postings
    inner join staging.policies as policies on postings.date <= policies.books_begin_on
    cross join ledger.role_accounts as roles
    where postings.event in ('entered', 'billed')
        and not list_contains(roles.control_accounts, postings.account_id)
    -- What is worth nothing has no part of the rest.
    qualify line_total <> 0
),

-- Split at the running totals of the lines, so that they add up to the rest.
parts as (
    select
        numbered.*, lines.line_key as line_of_before, lines.coded_account_id,
        lines.class_id, lines.department_id, lines.location_id, lines.job_id,
        if(
            lines.line_key is null, numbered.amount,
            share_of(numbered.amount, line_amount, line_amount_so_far, line_total)
        ) as part,
        case
            when lines.line_key is null then numbered.amount_currency
            when numbered.amount_currency = numbered.amount then part
            -- To the third decimal, which other currencies may have.
            else share_of(numbered.amount_currency * 10, line_amount, line_amount_so_far, line_total) * 0.1::decimal(2, 1)
        end as part_currency
    from numbered
    left join lines_of_before as lines
        on lines.document_type = numbered.document_type and lines.open_item_id = numbered.open_item_id
        and numbered.control in ('payables', 'receivables')
),

entry_lines as (
    select *, if(part_no = 1, control, control || '-' || part_no) as line_key from numbered
    union all by name
    select
        * exclude (part, part_currency, line_of_before, coded_account_id)
        replace (-part as amount, -part_currency as amount_currency, opening_balance as account_id),
        concat_ws(
            '|', 'opening_balance:' || if(part_no = 1, control, control || '-' || part_no),
            coded_account_id, line_of_before
        ) as line_key,
        true as is_offset
    from parts
    cross join (select opening_balance from ledger.role_accounts)
)

select
    document_type, open_item_id as document_id, version, 'opened' as event, line_key, date,
    document_date, party_id, account_id, amount::decimal(18, 2) as amount, currency,
    amount_currency::decimal(18, 3) as amount_currency,
    class_id, department_id, location_id, job_id, if(is_offset, null, open_item_id) as open_item_id,
    description
from entry_lines
where amount <> 0 or amount_currency <> 0
