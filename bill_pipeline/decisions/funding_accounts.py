"""The accounts behind the cards, bank accounts and wallet that BILL moves a client's money with.

Each is a role of its own, so it is decided once, shown and changed like any other account by role:
``bank:<id>`` and ``card:<id>`` by BILL's id, ``bill_balance`` for what BILL holds. Nothing is
guessed of a bank account: without a ledger account its money stays in clearing, and
``ledger.funding_accounts`` says so.
"""

from __future__ import annotations

from datetime import datetime

import duckdb

from bill_pipeline.decisions.rows import append_decision


def decide_cards(connection: duckdb.DuckDBPyConnection, as_of: datetime) -> int:
    """Choose the liability account of every card that a payment names first; return how many.

    The account of the chart with the card's own name; else, while the client has one card only, the
    account of cards in general; else one of the card's own. So no two cards share what is owed.
    """
    rows = connection.execute(
        """
        with decided as (
            select role, arg_max(account_id, (decided_at, rowid)) as account_id
            from decisions.account_roles where decided_at <= ? group by role
        ),

        cards as (
            select 'card:' || card_id as role, card_name from staging.cards where is_used
        ),

        named_alike as (
            select cards.role, min(chart.account_id) as account_id
            from cards
            inner join staging.chart_of_accounts as chart
                on trim(lower(chart.account_name)) = trim(lower(cards.card_name))
                and chart.bill_account_type = 'CREDIT_CARD' and not chart.is_archived
            -- Two cards of one name, or an account that is another card's already, say nothing.
            where cards.card_name not in (
                select card_name from cards group by card_name having count(*) > 1
            ) and chart.account_id not in (
                select account_id from decided where starts_with(role, 'card:')
            )
            group by cards.role
            having count(*) = 1
        )

        select
            cards.role, named_alike.account_id,
            (select account_id from decided where role = 'card_default') as default_account,
            (select count(*) from cards) as card_count
        from cards
        left join named_alike using (role)
        where cards.role not in (select role from decided)
        order by cards.role
        """,
        [as_of],
    ).fetchall()
    for role, alike, default, card_count in rows:
        if alike is not None:
            account, reason = alike, "the account of the chart with the card's name"
        elif card_count == 1 and default is not None:
            account, reason = default, "the client's only card"
        else:
            account, reason = role, "one liability for each card"
        append_decision(
            connection, "account_roles", role=role, account_id=account,
            decided_at=as_of, decided_by="first use", reason=reason,
        )  # fmt: skip
    return len(rows)
