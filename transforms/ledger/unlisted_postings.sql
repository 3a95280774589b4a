-- What BILL names on postings and its chart did not list by then, at each of its first postings.
--
-- grain: one row per account and moment of postings
-- key: account_id, posted_at
-- owner: team:accounting
-- published: no
select
    lines.account_id,  -- BILL's id of the account.
    lines.posted_at,   -- When the entries were posted (UTC).
    bool_and(bool_and(lines.document_type in ('invoice', 'credit_memo'))) over (
        partition by lines.account_id order by lines.posted_at
    ) as is_income     -- Only sales had named it until then.
from ledger.journal_lines as lines
left join (
    select account_id, min(seen_at) as seen_at from staging.chart_versions group by account_id
) as first_listed
    on first_listed.account_id = lines.account_id
where lines.account_id not in (select account_id from categorized.chart where source = 'standard')
    and (first_listed.seen_at is null or lines.posted_at < first_listed.seen_at)
group by lines.account_id, lines.posted_at
