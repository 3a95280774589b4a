"""Everything that can go wrong between us and BILL.

::

    BillError                     client, object and remedy, never a secret
    ├── ConnectionRefused         a person must act before another try makes sense
    │   ├── LoginRefused          token name or password wrong, or the token was deleted
    │   ├── UnknownOrganization   no such organisation for these credentials
    │   ├── DeveloperKeyRefused   developer key wrong, or of the other environment
    │   └── ApiNotEnabled         the organisation has BILL's API switched off
    ├── PermissionMissing         this one list or document may not be read
    ├── DocumentGone              BILL no longer has this document
    ├── RequestRefused            BILL does not accept the request (400, 404, 422)
    │   ├── FilterRefused         … because of its filter or sort
    │   └── ListRefused           … for a whole list: it is left out
    ├── SessionLost               the session ended; log in again
    ├── LimitReached
    │   ├── HourlyLimit           20,000 requests (200 logins) in this hour
    │   └── ConcurrencyLimit      more than three requests at a time
    ├── BillUnavailable           down, or answering 5xx
    │   └── BillUnreachable       no connection at all: wrong address, no network
    └── MalformedAnswer           an answer that is not what BILL promises
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

#: Characters of what went wrong, and of what it concerns.
LONGEST_WHAT = 600
LONGEST_SUBJECT = 300
#: BILL's codes are like BDC_1109; what is no such word says nothing to anybody.
_CODE = re.compile(r"[A-Za-z0-9_.-]{1,40}")
_INVISIBLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
#: Shorter ones are no secrets, and stand in many words.
_SHORTEST_SECRET = 4


class BillError(Exception):
    """Something between a client and BILL failed: what, to whom, and what to do.

    ``subject`` is the list, path or document id; ``code`` is BILL's code when it sent one.
    """

    remedy = "Try again; if it happens again, report it with this message."

    def __init__(
        self,
        what: str,
        *,
        client: str = "",
        subject: str = "",
        code: str = "",
        status: int | None = None,
        remedy: str | None = None,
    ) -> None:
        # Parts of them come from an answer, which may hold anything.
        self.what = _short(what, LONGEST_WHAT)
        self.client = client
        self.subject = _short(subject, LONGEST_SUBJECT)
        self.code = code if _CODE.fullmatch(code) else ""
        self.status = status
        if remedy is not None:
            self.remedy = remedy
        super().__init__(self._sentence())

    def _sentence(self) -> str:
        who = f"{self.client}: " if self.client else ""
        where = f" ({self.subject})" if self.subject else ""
        codes = " ".join(part for part in (self.code, _status_text(self.status)) if part)
        said = f" [{codes}]" if codes else ""
        return f"{who}{self.what}{where}{said}. {self.remedy}"

    def without(self, secrets: Iterable[str]) -> None:
        """Take ``secrets`` out of what it says: a server may say back what it was told."""
        for secret in secrets:
            if len(secret) < _SHORTEST_SECRET:
                continue
            for form in _forms(secret):
                self.what = self.what.replace(form, _HIDDEN)
                self.subject = self.subject.replace(form, _HIDDEN)
                self.remedy = self.remedy.replace(form, _HIDDEN)
                self.code = "" if form in self.code else self.code
        self.args = (self._sentence(),)

    def __reduce__(self) -> tuple[object, ...]:
        """Survive a trip between processes, which keyword arguments alone would not."""
        return (_rebuild, (type(self), self.what, self.__dict__.copy()))


_HIDDEN = "…"


def _forms(secret: str) -> set[str]:
    """How it stands in a text, in JSON, in a form and in an address."""
    quoted = {quote(secret), quote(secret, safe=""), quote_plus(secret)}
    in_json = {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    return {secret, *quoted, *in_json}


def _short(text: str, most: int) -> str:
    text = _INVISIBLE.sub(" ", text)
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _rebuild(kind: type[BillError], what: str, attributes: dict[str, object]) -> BillError:
    error = kind.__new__(kind)
    error.__dict__.update(attributes)
    Exception.__init__(error, error._sentence())  # noqa: SLF001 - our own class
    return error


def _status_text(status: int | None) -> str:
    return f"HTTP {status}" if status else ""


class ConnectionRefused(BillError):
    """A person must act before another try makes sense."""


class LoginRefused(ConnectionRefused):
    remedy = (
        "Make a new token in BILL under Settings › Sync & Integrations › Tokens, "
        "then run `bill-pipeline connect` again for this client."
    )


class UnknownOrganization(ConnectionRefused):
    remedy = (
        "Check the organization id in BILL under Settings › Sync & Integrations, "
        "then run `bill-pipeline connect` again for this client."
    )


class DeveloperKeyRefused(ConnectionRefused):
    remedy = (
        "Check BILL_PIPELINE_DEV_KEY, and that the key belongs to the environment "
        "(production or sandbox) of this client."
    )


class ApiNotEnabled(ConnectionRefused):
    remedy = "Ask BILL to enable API access for this organization, then connect it again."


class PermissionMissing(BillError):
    remedy = (
        "Give the token's user permission to read it in BILL under Settings › Users; until then "
        "the books are made without it."
    )


class DocumentGone(BillError):
    remedy = "Nothing to do: the books record that BILL no longer has it."


class RequestRefused(BillError):
    remedy = "Report it with this message: the request does not fit BILL's API."


class FilterRefused(RequestRefused):
    remedy = "Nothing to do: the list is read in full instead."


class ListRefused(RequestRefused):
    remedy = (
        "Ask BILL why this organization has no such list; until it can be read, the books are "
        "made without what is in it."
    )


def refuses_list(error: BillError) -> bool:
    """Whether ``error`` concerns one list alone, so that the others can be read without it."""
    return isinstance(error, PermissionMissing | DocumentGone | RequestRefused)


class SessionLost(BillError):
    remedy = "Nothing to do: the next request logs in again."


class LimitReached(BillError):
    """BILL's limits, or our count of them, allow no request now."""


class HourlyLimit(LimitReached):
    remedy = "Wait until the next full hour; the sync continues where it stopped."


class ConcurrencyLimit(LimitReached):
    remedy = "Check that no other software uses this developer key for the organization."


class BillUnavailable(BillError):
    remedy = "Nothing is lost: the next sync continues where this one stopped."


class BillUnreachable(BillUnavailable):
    """Not even a connection: BILL is down, the network is, or the address is wrong."""


class MalformedAnswer(BillError):
    remedy = "The last good books stay; the next sync asks again. If it lasts, report it to BILL."
