-- What people decided, and when, about balances that a change of their account's type left under the old one.
--
-- Amounts are those that were shown when it was decided; of a withdrawal, those of what it withdrew.
--
-- grain: one row per account, first day of its new type, and run of moments with one decision
-- key: document_id, known_from
-- owner: team:accounting
with

decided as (
    select *, rowid as decision_no
    from decisions.reclassifications
    where decided_at <= getvariable('as_of')
    qualify row_number() over (partition by account_id, first_day, decided_at order by rowid desc) = 1
),

-- Its own decision's number where it says amounts, else that of the one that it withdraws.
said as (
    select
        *,
        max(decision_no) filter (where action <> 'withdraw') over so_far as said_no,
        lead(decided_at, 1, timestamp '9999-12-31') over by_time as known_to
    from decided
    window
        by_time as (partition by account_id, first_day order by decided_at),
        so_far as (partition by account_id, first_day order by decided_at)
)

select
    said.account_id || ':' || said.first_day as document_id,  -- Names its entry in the journal.
    said.account_id,                                          -- BILL's id of the account.
    said.first_day,                                           -- First day whose postings have the new type.
    said.action,                                              -- move: by an entry; keep: left as it is; withdraw: neither any more.
    amounts.date,                                             -- Day of the entry; null where the balance is kept.
    amounts.is_to_balance_sheet,                              -- From profit and loss to the balance sheet; else the other way.
    amounts.amount,                                           -- Balance under the old type, debit positive.
    amounts.amount_earlier,                                   -- Of it, what is of fiscal years before the entry's: it goes to retained earnings.
    amounts.amount_cash,                                      -- The balance on the cash basis.
    amounts.amount_earlier_cash,                              -- Of that, what is of earlier fiscal years.
    roles.retained_earnings as earnings_account_id,           -- Account of retained earnings.
    said.decided_by,                                          -- By whom.
    said.reason,                                              -- Why.
    said.decided_at as known_from,                            -- When it was decided (UTC).
    said.known_to                                             -- When something else was decided (UTC).
from said
inner join decided as amounts on amounts.decision_no = said.said_no
cross join ledger.role_accounts as roles
