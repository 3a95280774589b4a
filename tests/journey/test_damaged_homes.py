"""What an error text says to do is done here, from a damaged home to right books."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable

import duckdb
import pytest

from bill_pipeline.registry.clients import Registry
from tests.journey.firm import Firm

pytestmark = pytest.mark.rotating(days=8)

#: How many documents the published ledger has of each kind that BILL lists, archived ones included.
LEDGER = """
    select document_type, count(*) as n from documents
    where document_type in ('bill', 'payment', 'vendor_credit') group by all order by all
"""


def live_on(firm: Firm, days: int) -> None:
    firm.sandbox.control.live()
    firm.sandbox.control.step(f"{days} days")
    firm.sandbox.control.live(False)


def in_bill(firm: Firm) -> list[dict[str, object]]:
    books = firm.sandbox.control.books(firm.client)
    kinds = {"bill": "bills", "payment": "payments", "vendor_credit": "vendor-credits"}
    counts = [{"document_type": kind, "n": len(books[name])} for kind, name in kinds.items()]
    return sorted((row for row in counts if row["n"]), key=lambda row: str(row["document_type"]))


def damage_file(firm: Firm) -> None:
    firm.home.client_file(firm.client).write_bytes(b"no database" * 4_000)


def alter_archive(firm: Firm) -> None:
    with duckdb.connect(str(firm.home.client_file(firm.client))) as books:
        books.execute(
            "update raw.document_versions set document = json_merge_patch(document, "
            """'{"amount": 1.25, "billLineItems": []}') where list = 'bills' and version = 1"""
        )


@pytest.mark.parametrize(
    ("damage", "command"),
    [
        (damage_file, ("sync",)),
        (alter_archive, ("sync", "--rebuild")),
        (alter_archive, ("verify",)),
    ],
    ids=["damaged", "altered", "altered and verified"],
)
def test_a_file_put_back_from_a_backup_gets_all_that_is_newer(
    synced: Firm, damage: Callable[[Firm], None], command: tuple[str, ...]
) -> None:
    file = synced.home.client_file(synced.client)
    backup = file.with_suffix(".backup")
    shutil.copy2(file, backup)
    live_on(synced, 20)
    assert synced.run("sync", synced.client).exit_code == 0
    assert synced.query(LEDGER) == in_bill(synced)
    damage(synced)
    result = synced.run(*command, synced.client)
    assert result.exit_code == 1
    said = result.output + (Registry(synced.home).status(synced.client).remedy or "")
    assert "back from a backup" in said, said
    shutil.copy2(backup, file)
    result = synced.run("sync", synced.client)
    assert result.exit_code == 0, result.output
    assert synced.query(LEDGER) == in_bill(synced)
    verified = synced.run("verify", synced.client)
    assert verified.exit_code == 0, verified.output
    assert synced.run("sync", "--rebuild", synced.client).exit_code == 0


def test_a_file_that_is_gone_is_read_again(synced: Firm) -> None:
    synced.home.client_file(synced.client).unlink()
    result = synced.run("verify", synced.client)
    assert result.exit_code == 1
    assert f"`bill-pipeline sync {synced.client} --new-file`" in result.output
    assert synced.run("sync", synced.client, "--new-file").exit_code == 0
    assert synced.query(LEDGER) == in_bill(synced)
    assert synced.run("verify", synced.client).exit_code == 0


def test_what_differs_from_bill_is_shown_and_then_repaired(synced: Firm) -> None:
    [bill] = synced.sandbox.control.change(
        synced.client, set={"description": "In silence"}, silent=True
    )
    assert synced.run("sync", synced.client).exit_code == 0
    result = synced.run("verify", synced.client)
    assert result.exit_code == 1
    assert "not as BILL has it: " in result.output
    assert f"bill-pipeline verify {synced.client} --repair" in result.output
    record = json.loads(synced.run("verify", synced.client, "--json").output)
    assert record["found"]["bills"]["differing"] == 1
    assert (record["repaired"], record["documents_refused"]) == (False, {})
    result = synced.run("verify", synced.client, "--repair")
    assert result.exit_code == 0, result.output
    assert "repaired: " in result.output
    (row,) = synced.query(f"select description from documents where document_id = '{bill}'")
    assert row["description"] == "In silence"
    assert synced.run("verify", synced.client).exit_code == 0
    status = synced.query("select compared_at, refused_count from sync_status")
    assert status[0]["compared_at"]
    assert status[0]["refused_count"] == 0
