-- Why each entry of this sync is posted: what came to be known since entries were posted before.
--
-- A change of the posting rules is posted alone, before anything new is read. Otherwise the nearest cause
-- counts: the entry's own document, a decision about it, another document that it is linked with, a
-- reopening, a setting.
--
-- grain: one row per new entry
-- key: entry_id
-- owner: team:accounting
-- materialize: temporary
-- follows: document_id
-- whole: raw.document_versions, decisions.account_roles, decisions.batches, decisions.closes, decisions.opening_balances, decisions.party_links, decisions.party_splits, decisions.policies, decisions.reclassifications, decisions.rules
-- published: no
-- history: ledger.journal_lines
with

entries as (
    select
        new.entry_id, new.document_type, new.document_id, new.event, new.posted_at,
        coalesce(earlier.as_of, timestamp '0001-01-01') as previous_at,
        coalesce(batches.is_change_of_rules, false) as is_change_of_rules,
        coalesce(batches.is_clock_put_right, false) as is_clock_put_right
    from ledger.entries_new as new
    left join decisions.batches as batches on batches.as_of = new.posted_at
    asof left join decisions.batches as earlier on new.posted_at > earlier.as_of
),

moments as (
    select distinct posted_at, previous_at from entries
),

-- Documents of which a version arrived; a list that only details another's documents has their ids.
arrived as (
    select
        moments.posted_at, document_type_of(versions.list) as document_type,
        versions.id as document_id, min(versions.version) = 1 as is_new
    from raw.document_versions as versions
    inner join moments on versions.seen_at > moments.previous_at and versions.seen_at <= moments.posted_at
    where document_type_of(versions.list) is not null
        or versions.list in ('bill_details', 'invoice_details')
    group by all
),

own_versions as (
    select
        entries.entry_id,
        coalesce(bool_or(arrived.is_new) filter (where arrived.document_type is not null), false) as is_new
    from entries
    inner join arrived
        on arrived.posted_at = entries.posted_at and arrived.document_id = entries.document_id
        and coalesce(arrived.document_type, entries.document_type) = entries.document_type
    group by entries.entry_id
),

decided (document_type, document_id, decided_at) as (
    select document_type, document_id, decided_at from decisions.categories
    union all
    select 'invoice', invoice_id, decided_at from decisions.write_offs
    union all
    select 'received_payment', received_payment_id, decided_at from decisions.processing_fees
    union all
    select 'opening_balance', account_id, decided_at from decisions.opening_balances
    union all
    select 'reclassification', account_id || ':' || first_day, decided_at from decisions.reclassifications
),

own_decisions as (
    select distinct entries.entry_id
    from entries
    inner join decided
        on decided.document_type = entries.document_type and decided.document_id = entries.document_id
        and decided.decided_at > entries.previous_at and decided.decided_at <= entries.posted_at
),

-- What the entry opens or settles, now and before.
items as (
    select entries.entry_id, entries.document_id, entries.posted_at, lines.open_item_id
    from entries
    inner join ledger.lines_expected as lines using (document_type, document_id, event)
    where lines.open_item_id is not null
    union
    select entries.entry_id, entries.document_id, entries.posted_at, lines.open_item_id
    from entries
    inner join ledger.lines_active as lines using (document_type, document_id, event)
    where lines.open_item_id is not null
),

linked as (
    select entry_id, posted_at, open_item_id as other_id
    from items
    where open_item_id <> document_id
    union
    select items.entry_id, items.posted_at, lines.document_id
    from items
    inner join ledger.journal_lines as lines using (open_item_id)
    where lines.document_id <> items.document_id and lines.posted_at <= items.posted_at
),

other_versions as (
    select linked.entry_id, bool_or(arrived.is_new) as is_new
    from linked
    inner join arrived on arrived.posted_at = linked.posted_at and arrived.document_id = linked.other_id
    group by linked.entry_id
),

about_all (cause, decided_at) as (
    select 'reopening', decided_at from decisions.closes where action = 'reopen'
    union all
    select 'decision', decided_at from decisions.rules
    union all
    select 'decision', decided_at from decisions.party_links
    union all
    select 'decision', decided_at from decisions.party_splits
    union all
    select 'setting', decided_at from decisions.account_roles
    union all
    select 'setting', decided_at from decisions.policies
    union all
    select 'setting', seen_at
    from raw.document_versions
    where list in (
        'chart_of_accounts', 'bank_accounts', 'items', 'vendors', 'customers', 'vendor_details',
        'customer_details'
    )
),

decided_about_all as (
    select moments.posted_at, list(distinct about_all.cause) as causes
    from moments
    inner join about_all
        on about_all.decided_at > moments.previous_at and about_all.decided_at <= moments.posted_at
    group by moments.posted_at
)

select
    entries.entry_id,  -- The new entry.
    case
        when entries.is_change_of_rules then 'posting rules changed'
        when own_versions.is_new then 'new document'
        when own_versions.entry_id is not null then 'changed document'
        when own_decisions.entry_id is not null then 'decision'
        when other_versions.is_new then 'new document'
        when other_versions.entry_id is not null then 'changed document'
        -- An assumed transfer has no versions of its own: it follows the payments of its day.
        when entries.document_type = 'derived_transfer'
            and exists (select 1 from arrived where arrived.posted_at = entries.posted_at)
            then 'changed document'
        when list_contains(decided_about_all.causes, 'reopening') then 'reopening'
        when list_contains(decided_about_all.causes, 'decision') then 'decision'
        when list_contains(decided_about_all.causes, 'setting') then 'setting'
        when entries.is_clock_put_right then 'clock put right'
        else 'changed document'
    end as cause  -- new document, changed document, decision, posting rules changed, clock put right, setting or reopening.
from entries
left join own_versions using (entry_id)
left join own_decisions using (entry_id)
left join other_versions using (entry_id)
left join decided_about_all using (posted_at)
