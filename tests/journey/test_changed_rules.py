"""A home that outlives a change of the posting rules: shown first, posted, listed, rebuilt."""

from __future__ import annotations

import json

import pytest

from bill_pipeline.registry.clients import Registry, State
from bill_pipeline.warehouse.warehouse import Warehouse
from tests.journey.firm import Firm
from tests.ledger.changed_rules import changed_rule

pytestmark = pytest.mark.rotating(days=8)

#: Credits count on the first day of their month: other books for credits of open and closed months.
CREDITS_ON_THE_FIRST = (
    "ledger.postings_documents",
    "vendor_credit_id as document_id, version, credit_date as date,",
    "vendor_credit_id as document_id, version, date_trunc('month', credit_date)::date as date,",
)
OLD = "select count(*) as n, sum(amount) as total from journal_lines where date <= '{}'"


def test_changed_rules_are_shown_posted_listed_and_rebuilt(synced: Firm) -> None:
    (month,) = synced.query(
        "select strftime(date_trunc('month', max(date)) - interval 1 month, '%Y-%m') as through, "
        "(date_trunc('month', max(date)) - interval 1 day)::date::varchar as day "
        "from journal_lines where document_type = 'vendor_credit'"
    )
    closed = synced.run("close", synced.client, month["through"], "--anyway")
    assert closed.exit_code == 0, closed.output
    old = synced.query(OLD.format(month["day"]))
    counts = synced.counts()
    with changed_rule(*CREDITS_ON_THE_FIRST):
        shown = synced.run("sync", synced.client, "--dry-run")
        assert shown.exit_code == 0, shown.output
        assert "posting rules changed" in shown.output
        assert "nothing was" in shown.output
        assert synced.counts() == counts
        as_json = json.loads(synced.run("sync", synced.client, "--dry-run", "--json").output)
        would = {line["entry_id"] for line in as_json["would_be_posted"]}

        result = synced.run("sync", synced.client)
        assert result.exit_code == 0, result.output
        assert "the posting rules changed" in result.output
        assert "posting_rule_changes" in result.output
        posted = synced.query(
            "select entry_id, document_type from journal_entries "
            "where cause = 'posting rules changed'"
        )
        assert {row["entry_id"] for row in posted} == would
        assert {row["document_type"] for row in posted} == {"vendor_credit"}
        listed = synced.query("select distinct document_id from posting_rule_changes")
        assert listed
        assert synced.query(OLD.format(month["day"])) == old
        for words in (("--rebuild",), ()):
            result = synced.run("sync", synced.client, *words)
            assert result.exit_code == 0, result.output
            assert "the posting rules changed" not in result.output
        again = synced.query(
            "select entry_id, document_type from journal_entries "
            "where cause = 'posting rules changed'"
        )
        assert sorted(row["entry_id"] for row in again) == sorted(would)


def test_a_refused_rebuild_leaves_a_sound_client_as_it_was(synced: Firm) -> None:
    with Warehouse.open(Registry(synced.home), synced.client) as warehouse:
        warehouse.connection.execute(
            "update raw.document_versions set document = json_merge_patch(document, "
            """'{"invoice": {"invoiceDate": "2020-02-02"}}') where list = 'bills'"""
        )
    before = synced.query("select count(*) as n, max(posted_at) as last from journal_entries")
    result = synced.run("sync", synced.client, "--rebuild")
    assert result.exit_code == 1
    assert "put the client's file back from a backup" in result.output
    status = Registry(synced.home).status(synced.client)
    assert status.state is State.UP_TO_DATE
    assert (status.failure_count, status.error) == (0, None)
    assert (
        synced.query("select count(*) as n, max(posted_at) as last from journal_entries") == before
    )


def test_a_dry_run_asks_bill_nothing_and_takes_no_other_options(synced: Firm) -> None:
    result = synced.run("sync", synced.client, "--dry-run", "--full")
    assert result.exit_code == 2
    assert "leave out the other options" in result.output
    result = synced.run("sync", synced.client, "--dry-run", dev_key="refused if BILL were asked")
    assert result.exit_code == 0, result.output
    assert "nothing would be posted" in result.output
