-- Lines whose account, chosen in BILL, is not where this vendor's lines nearly always go.
--
-- The vendor's own history is the judge: at least ten lines coded before, at least nine in ten of
-- them to one account, and none to the account of this line.
--
-- grain: one row per line
-- key: transaction_id
-- owner: team:accounting
with

coded as (
    select
        transactions.transaction_id, transactions.document_id, transactions.line_id,
        transactions.date, transactions.description, transactions.amount, transactions.currency,
        transactions.account_id, transactions.account_name,
        coalesce(parties.merged_party_id, transactions.party_id) as party_id,
        coalesce(parties.merged_party, transactions.party) as party
    from ledger.transactions as transactions
    left join ledger.parties as parties using (party_id)
    where document_type = 'bill' and category_source = 'bill' and amount > 0
),

-- A vendor with one account has nothing to disagree about; leaving these out is most of the speed.
vendors as (
    select party_id from coded group by party_id having count(distinct account_id) > 1
),

days as (
    select party_id, date, account_id, any_value(account_name) as account_name, count(*) as line_count
    from coded
    semi join vendors on vendors.party_id = coded.party_id
    group by party_id, date, account_id
),

-- What was known before each day of the vendor, from the two years before it.
usual as (
    select
        lines.party_id,
        lines.date,
        earlier.account_id as usual_account_id,
        any_value(earlier.account_name) as usual_account_name,
        sum(earlier.line_count)::bigint as usual_count
    from (select distinct party_id, date from days) as lines
    inner join days as earlier
        on earlier.party_id = lines.party_id
        and earlier.date < lines.date
        and earlier.date >= lines.date - 730
    group by lines.party_id, lines.date, earlier.account_id
),

judged as (
    select
        party_id,
        date,
        arg_max(usual_account_id, (usual_count, usual_account_id)) as usual_account_id,
        arg_max(usual_account_name, (usual_count, usual_account_id)) as usual_account_name,
        max(usual_count) as usual_count,
        sum(usual_count)::bigint as line_count_before,
        list(usual_account_id) as account_ids_before
    from usual
    group by party_id, date
)

select
    coded.transaction_id,                                  -- Document and line.
    coded.document_id,                                     -- BILL's id of the bill.
    coded.line_id,                                         -- BILL's id of the line.
    coded.date,                                            -- Day of the bill.
    coded.party_id,                                        -- BILL's id of the vendor.
    coded.party,                                           -- Its name.
    coded.description,                                     -- Text of the line.
    coded.amount,                                          -- Amount of the line.
    coded.currency,                                        -- Currency of the amount.
    coded.account_id,                                      -- Account chosen in BILL.
    coded.account_name,                                    -- Its name.
    judged.usual_account_id,                               -- Account of nearly all lines before.
    judged.usual_account_name,                             -- Its name.
    judged.line_count_before,                              -- Lines of the vendor in the two years before.
    round(judged.usual_count / judged.line_count_before, 3)::double as usual_share  -- Share of them with the usual account, in 0–1.
from coded
inner join judged using (party_id, date)
where judged.line_count_before >= 10
    and judged.usual_count >= 0.9 * judged.line_count_before
    and coded.account_id <> judged.usual_account_id
    and not list_contains(judged.account_ids_before, coded.account_id)
