"""What may be wrong with a client's name, file or turn; each message says what to do about it."""

from __future__ import annotations

from pathlib import Path

from bill_pipeline.errors import PipelineError


class UnknownClient(PipelineError):
    """No client of that name is connected."""

    def __init__(self, client: str) -> None:
        super().__init__(
            f"No client named {client!r} is connected. `bill-pipeline clients` lists those that "
            f"are; `bill-pipeline connect {client}` adds it."
        )


class ClientAlreadyConnected(PipelineError):
    """The name is another organization's, or the organization has another name already."""


class ClientBusy(PipelineError):
    """Another process is working on this client's books."""

    def __init__(self, client: str, doing: str = "") -> None:
        """``doing`` completes "its books are being …"; empty when nobody knows."""
        what = f"{client}'s books are being {doing}." if doing else (
            f"Another process is at work on {client}'s books."
        )  # fmt: skip
        super().__init__(f"{what} Wait until that is done; then try again.")


class SyncUnderWay(ClientBusy):
    """The other process is a sync: it brings what BILL had when that one began to read."""

    def __init__(self, client: str) -> None:
        PipelineError.__init__(
            self,
            f"Another sync of {client} is at work and publishes what BILL had when it began to "
            "read. For what is newer run this again when it has ended: `bill-pipeline clients` "
            "shows its progress.",
        )


class BooksMissing(PipelineError):
    """A client that has had books has no file any more."""

    def __init__(self, client: str, path: Path) -> None:
        super().__init__(
            f"{client}: its file {path} is missing, although it has had books; its published books "
            "stay. Put the file back from a backup and sync. Or, where there is none, run "
            f"`bill-pipeline sync {client} --new-file`: all is read anew from BILL, and what only "
            "that file had is lost: closings, answers, rules, opening balances, write-offs and the "
            "history of the books."
        )
