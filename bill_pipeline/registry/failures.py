"""Why a client's work failed and what to do, in the words a person reads beside the client.

BILL's errors and ours bring their words along; the machine's are in ``machine``. ``alone`` is how
every loop over clients goes on when one of them fails. Recording a sync's failure is
``client_sync``'s work.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from bill_pipeline.bill.errors import BillError
from bill_pipeline.errors import CheckResult, ChecksFailed, PipelineError
from bill_pipeline.runtime.machine import machine_error
from bill_pipeline.runtime.signals import interruption_in

_STAYS = "Nothing is lost: the last good books stay."
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ClientError:
    """Why a client's work was not done, in words that any process can read."""

    message: str
    remedy: str
    # Makes a run over many clients red, unlike BILL's refusal, the machine's or the books' own: a
    # mistake of this program, or books that are built and not published.
    is_internal: bool
    checks: tuple[CheckResult, ...] = ()

    def __str__(self) -> str:
        return self.message


class alone:  # noqa: N801 - read as the words of a ``with``
    """What goes wrong with ``client`` inside is recorded as its error and stops no other client.

    For the body of every loop over clients. An interruption is nobody's error and is raised.
    """

    def __init__(self, client: str, client_errors: dict[str, ClientError]) -> None:
        self._client = client
        self._troubles = client_errors

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _where: object) -> bool:
        if not isinstance(error, Exception) or interruption_in(error):
            return False
        self._troubles[self._client] = client_error_of(self._client, error)
        return True


def client_error_of(client: str, error: BaseException) -> ClientError:
    """``error`` as ``client``'s error; internal errors are logged with where they happened."""
    what, remedy = what_and_remedy(error)
    checks = error.checks if isinstance(error, ChecksFailed) else ()
    if isinstance(error, (PipelineError, BillError)):
        own = getattr(error, "remedy", None) or ""
        return ClientError(str(error), own, is_internal=False, checks=checks)
    is_internal = machine_error(error) is None
    if is_internal:
        _log.error("%s failed unexpectedly, its last good books stay.", client, exc_info=error)
    return ClientError(
        f"{client}: {what} {remedy or ''}".strip(), remedy or "", is_internal=is_internal
    )


def what_and_remedy(error: BaseException) -> tuple[str, str | None]:
    """What happened, and what to do where the first does not say it already."""
    if isinstance(error, ChecksFailed):
        found = "; ".join(
            f"{check.summary.rstrip('.')}: not so in {check.row_count:,} rows, for example "
            + ", ".join(f"{name} {value}" for name, value in check.rows[0].items())
            if check.rows
            else check.summary
            for check in error.failed
        )
        return (
            f"The new books were not taken over, because a check failed. {found}.",
            f"Correct in BILL what is named here, then sync again. {_STAYS}",
        )
    if isinstance(error, BillError):
        return error.what, error.remedy
    if said := machine_error(error):
        return said.what, said.remedy
    if isinstance(error, PipelineError):
        return str(error), getattr(error, "remedy", None)
    return (
        f"Something unforeseen happened: {type(error).__name__}: {error}",
        f"Sync again; if it happens once more, report it with these words. {_STAYS}",
    )
