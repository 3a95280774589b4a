"""Every way a client can fail, and what its page says of it: what happened, and what to do."""

from __future__ import annotations

import contextlib
import errno
import html
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import duckdb
import pytest

from bill_pipeline.bill import errors
from bill_pipeline.console.console import Console
from bill_pipeline.console.work import Work
from bill_pipeline.errors import CheckResult, ChecksFailed
from bill_pipeline.pipeline.client_sync import open_sync
from bill_pipeline.publishing.tables import PublishError
from bill_pipeline.registry.clients import Registry, State
from bill_pipeline.registry.vault import VaultError
from bill_pipeline.warehouse.built import mark_built
from tests.console.console_browser import Browser, IdleExecutor, connect_invented_client

pytestmark = pytest.mark.slow

CHECK = CheckResult(
    "every_entry_balances", "ledger.journal_lines", "error", "Debits equal credits in every entry.",
    2, ({"entry_id": "e-17", "difference": "0.01"},),
)  # fmt: skip

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Failure:
    """An exception in the middle of a sync; the state, what happened and what to do, as shown."""

    error: Exception
    state: State
    happened: str
    do: str


FAILURES = {
    "the token was revoked": Failure(
        errors.LoginRefused("BILL refused the sync token"), State.RECONNECT,
        "BILL refused the sync token.", "Make a new token in BILL",
    ),
    "the organization is unknown": Failure(
        errors.UnknownOrganization("BILL knows no such organization"), State.RECONNECT,
        "BILL knows no such organization.", "Copy the Organization ID",
    ),
    "the developer key is refused": Failure(
        errors.DeveloperKeyRefused("BILL refused the developer key"), State.RECONNECT,
        "BILL refused the developer key.", "Correct BILL_PIPELINE_DEV_KEY",
    ),
    "no API access": Failure(
        errors.ApiNotEnabled("the organization has no API access"), State.RECONNECT,
        "the organization has no API access.", "Ask BILL's support",
    ),
    "the hour's requests are spent": Failure(
        errors.HourlyLimit("BILL's hourly limit is reached"), State.FAILING,
        "BILL's hourly limit is reached.", "Wait until the next full hour",
    ),
    "another program uses the key": Failure(
        errors.ConcurrencyLimit("too many requests at once"), State.FAILING,
        "too many requests at once.", "no other software uses this developer key",
    ),
    "BILL is down": Failure(
        errors.BillUnavailable("BILL answered HTTP 503"), State.FAILING,
        "BILL answered HTTP 503.", "the next sync continues where this one stopped",
    ),
    "the network is down": Failure(
        errors.BillUnreachable("BILL cannot be reached", remedy="Check the network."),
        State.FAILING, "BILL cannot be reached.", "Check the network.",
    ),
    "half an answer": Failure(
        errors.MalformedAnswer("BILL sent no JSON"), State.FAILING,
        "BILL sent no JSON.", "The last good books stay; the next sync asks again.",
    ),
    "a request BILL does not know": Failure(
        errors.RequestRefused("BILL refused the request"), State.FAILING,
        "BILL refused the request.", "Report it with this message",
    ),
    "a check failed": Failure(
        ChecksFailed("acme", "ledger", [CHECK]),
        State.FAILING,
        "Debits equal credits in every entry: not so in 2 rows, for example entry_id e-17, "
        "difference 0.01.",
        "Correct in BILL what is named here",
    ),
    "the disk is full": Failure(
        OSError(errno.ENOSPC, "No space left on device"), State.FAILING,
        "The disk that holds the books is full.", "Free space on it",
    ),
    "the disk is full, says DuckDB": Failure(
        duckdb.IOException("Could not write file: No space left on device"), State.FAILING,
        "The disk that holds the books is full.", "Free space on it",
    ),
    "no memory": Failure(
        duckdb.OutOfMemoryException("failed to allocate"), State.FAILING,
        "The machine ran out of memory.", "give it more memory",
    ),
    "a folder that may not be written": Failure(
        PermissionError(errno.EACCES, "Permission denied"), State.FAILING,
        "cannot be written to.", "Let the user that runs bill-pipeline write to it",
    ),
    "the sealing key is lost": Failure(
        VaultError("acme's token cannot be opened: put secret.key back"), State.FAILING,
        "acme's token cannot be opened", "put secret.key back",
    ),
    "what nobody foresaw": Failure(
        RuntimeError("a riddle"), State.FAILING,
        "Something unforeseen happened: RuntimeError: a riddle.", "report it with these words",
    ),
}  # fmt: skip


def shown(browser: Browser, path: str) -> str:
    return " ".join(html.unescape(browser.get(path).text).split())


@pytest.mark.parametrize("name", FAILURES)
def test_a_failing_client_says_what_happened_and_what_to_do(
    console: Console, admin: Browser, name: str
) -> None:
    failure = FAILURES[name]
    connect_invented_client(console.home, "acme")
    with pytest.raises(type(failure.error)), open_sync(Registry(console.home), "acme"):
        raise failure.error
    assert Registry(console.home).status("acme").state is failure.state
    page = shown(admin, "/clients/acme")
    assert failure.happened in page
    assert failure.do in page
    assert "`" not in page  # a command line's advice; the page has buttons
    assert failure.happened in shown(admin, "/clients")
    is_tried_again = "It is tried again by itself" in page
    assert is_tried_again == (failure.state is State.FAILING)
    assert ("Sync now" in page) == is_tried_again
    assert ("New token" in page) == is_tried_again  # else the button is called Reconnect


def test_a_damaged_file_is_said_to_be_damaged(console: Console, admin: Browser) -> None:
    connect_invented_client(console.home, "acme")
    console.home.client_file("acme").write_bytes(b"no database" * 1000)
    with pytest.raises(Exception, match="acme"), open_sync(Registry(console.home), "acme"):
        pass
    page = shown(admin, "/clients/acme")
    assert "The client's file is damaged. Put it back from a backup" in page.replace(
        "</p> <p>", " "
    )


@pytest.mark.parametrize(
    ("error", "happened", "do"),
    [
        (BrokenProcessPool("killed"), "The sync was killed", "it continues where it stopped"),
        (PublishError("The catalogue is locked: publish again."), "is locked", "publish again"),
    ],
)
def test_what_ends_a_sync_from_outside_is_said_too(
    console: Console, admin: Browser, error: Exception, happened: str, do: str
) -> None:
    connect_invented_client(console.home, "acme")
    work = Work(Registry(console.home), _Failing(error).executor)
    work.start("acme")
    page = shown(admin, "/clients/acme")
    assert happened in page
    assert do in page


def test_what_a_sync_recorded_itself_is_not_written_over(console: Console, admin: Browser) -> None:
    connect_invented_client(console.home, "acme")
    full = OSError(errno.ENOSPC, "No space left on device")
    with contextlib.suppress(OSError), open_sync(Registry(console.home), "acme"):
        raise full
    Work(Registry(console.home), _Failing(full).executor).start("acme")
    assert "The disk that holds the books is full." in shown(admin, "/clients/acme")


def test_a_client_that_is_paused_while_its_sync_goes_wrong_stays_paused(
    console: Console, admin: Browser
) -> None:
    connect_invented_client(console.home, "acme")
    work = Work(Registry(console.home), _Failing(BrokenProcessPool("killed")).executor)
    Registry(console.home).update("acme", state=State.PAUSED)
    work.start("acme")
    assert Registry(console.home).status("acme").state is State.PAUSED
    assert "The sync was killed" in shown(admin, "/clients/acme")
    Registry(console.home).resume("acme")
    assert Registry(console.home).status("acme").state is State.CONNECTED


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"state": State.PAUSED},
            ["Paused", "Nothing is read from BILL until the client is resumed", "Resume"],
        ),
        (
            {"quarantined": {"bills": 2}},
            ["Documents that cannot be read", "bills", "They are asked for again at every sync"],
        ),
        (
            {"skipped_lists": {"vendor-credits": "no permission"}},
            ["Lists this token may not read", "vendor-credits", "The books are incomplete"],
        ),
        (
            {"skipped_lists": {"recurring_bills": "no permission"}},
            ["Lists this token may not read", "recurring bills", "The books do without them"],
        ),
        ({"skipped_lists": {"organizations": "no permission"}}, ["Nothing is imported yet"]),
        ({"model_alarm": "The model drifts: train it."}, ["The model drifts: train it."]),
    ],
)
def test_a_client_that_does_not_fail_says_what_is_left_out(
    console: Console, admin: Browser, changes: dict[str, Any], words: list[str]
) -> None:
    connect_invented_client(console.home, "acme")
    Registry(console.home).update("acme", **changes)
    page = shown(admin, "/clients/acme")
    for each in words:
        assert each in page
    assert "organizations" not in page  # no token may read that list, and no book needs it


class _Failing(IdleExecutor):
    """An executor whose work ends with ``error``."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def executor(self) -> _Failing:
        return self

    def submit(self, function: Any, /, *arguments: Any, **named: Any) -> Any:
        future = super().submit(function, *arguments, **named)
        future.set_exception(self.error)
        return future


def test_books_that_are_built_and_not_published_say_so(console: Console, admin: Browser) -> None:
    connect_invented_client(console.home, "acme")
    Registry(console.home).update("acme", state=State.UP_TO_DATE)
    with duckdb.connect(str(console.home.client_file("acme"))) as books:
        mark_built(books)  # and killed before the registry was told
    assert "Built, not published since" in shown(admin, "/clients/acme")
    assert "built, not published since" in shown(admin, "/clients")


def test_a_damaged_ledger_says_what_to_do(console: Console, admin: Browser) -> None:
    connect_invented_client(console.home, "acme")
    console.home.ledger.write_bytes(b"garbage" * 2_000)
    assert "it is made anew from the clients' files" in shown(admin, "/clients/acme/review")
