"""Connect a client's BILL account from what a person typed, and say in plain words what is wrong.

The web form and the CSV of many clients use the same function. Talking to BILL is
``client_import.check_access``'s work, keeping the token the registry's.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from pydantic import SecretStr

from bill_pipeline.bill.connection import Connection, is_near
from bill_pipeline.bill.errors import (
    ApiNotEnabled,
    BillError,
    BillUnavailable,
    DeveloperKeyRefused,
    LimitReached,
    LoginRefused,
    UnknownOrganization,
)
from bill_pipeline.errors import PipelineError
from bill_pipeline.registry.clients import Registry
from bill_pipeline.settings import Settings, base_urls, require_client_name, takes_firm_key

#: BILL's refusal → the field to look at and what to do, in the words of the page.
_ADVICE: dict[type[BillError], tuple[str, str]] = {
    LoginRefused: (
        "token_password",
        (
            "BILL does not accept this token name and password. Check both for a missing "
            "character. If the password was not kept, make a new token: BILL never shows a "
            "password again."
        ),
    ),
    UnknownOrganization: (
        "organization_id",
        (
            "BILL knows no such organization for this token. Copy the Organization ID from the "
            "page on which the token was made."
        ),
    ),
    DeveloperKeyRefused: (
        "developer_key",
        (
            "BILL does not accept the developer key, or it belongs to the other environment "
            "(production or sandbox)."
        ),
    ),
    ApiNotEnabled: (
        "organization_id",
        "This organization has no API access. Ask BILL's support to switch it on.",
    ),
    LimitReached: (
        "",
        "BILL's hourly limit is reached. Nothing is wrong with the token; try again later.",
    ),
    BillUnavailable: (
        "",
        "BILL cannot be reached now. Nothing is wrong with the token; try again in a minute.",
    ),
}
#: BILL allows 200 logins an hour; a larger file is refused before it starts.
MOST_CLIENTS = 150
CSV_COLUMNS = ("client", "organization_id", "token_name", "token_password")


class NotConnected(PipelineError):
    """The client could not be connected; ``field`` is the input to look at, or empty."""

    def __init__(self, message: str, field: str = "") -> None:
        self.field = field
        super().__init__(message)


@dataclass(frozen=True)
class Request:
    """What a person gives to connect a client."""

    client: str
    organization_id: str
    token_name: str
    token_password: SecretStr
    environment: str = "production"
    developer_key: SecretStr = field(default_factory=lambda: SecretStr(""))


def has_developer_key() -> bool:
    """Whether the firm's key is set for all clients, so that nobody has to type it."""
    return Settings.now().dev_key is not None


def client_name_of(title: str) -> str:
    """``Acme Bakery, Inc.`` → ``acme-bakery-inc``: a name for files, from what people write."""
    return re.sub(r"[^a-z0-9]+", "-", title.strip().lower()).strip("-")[:63]


def connect_client(registry: Registry, request: Request) -> dict[str, str]:
    """Log in to BILL, keep the token sealed and return the lists it may not read, with why.

    Raises NotConnected with the field to correct, and what the registry raises.
    """
    from bill_pipeline.ingest.client_import import check_access

    connection = _connection(request)
    try:
        access = check_access(registry, request.client, connection)
    except BillError as error:
        raise _explained(error) from error
    registry.connect(
        request.client, connection, environment=request.environment, allow_duplicate=False
    )
    registry.update(request.client, skipped_lists=access.refused_lists)
    return dict(access.refused_lists)


def read_csv(text: str, environment: str, developer_key: SecretStr) -> Iterator[Request]:
    """One request per row. Raises NotConnected when the header lacks some of ``CSV_COLUMNS``.

    ``environment`` and ``developer_key`` are those of rows without a column of that name.
    """
    reader = csv.DictReader(io.StringIO(text.strip().lstrip("\ufeff")))
    names = [(name or "").strip().lower() for name in reader.fieldnames or ()]
    if missing := [column for column in CSV_COLUMNS if column not in names]:
        raise NotConnected(
            f"The first line must name the columns; missing: {', '.join(missing)}.", "csv"
        )
    reader.fieldnames = names
    for row in reader:
        values = {name: (value or "") for name, value in row.items() if isinstance(name, str)}
        if not any(value.strip() for value in values.values()):
            continue
        yield Request(
            client=client_name_of(values["client"]),
            organization_id=values["organization_id"].strip(),
            token_name=values["token_name"].strip(),
            token_password=SecretStr(values["token_password"]),
            environment=_value(values, "environment") or environment,
            developer_key=SecretStr(own)
            if (own := _value(values, "developer_key"))
            else developer_key,
        )


def _value(values: Mapping[str, str], name: str) -> str:
    return values.get(name, "").strip()


def require_each_once(requests: Sequence[Request]) -> None:
    """Raises NotConnected for no rows, too many for an hour, or a client that is named twice."""
    names = [request.client for request in requests]
    if not names or len(names) > MOST_CLIENTS:
        raise NotConnected(f"The file needs 1 to {MOST_CLIENTS} rows; it has {len(names)}.", "csv")
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise NotConnected(f"Named more than once: {', '.join(twice)}.", "csv")


def _connection(request: Request) -> Connection:
    require_client_name(request.client)
    base_url, v2_url = base_urls(request.environment)
    firms_key, developer_key = Settings.now().dev_key, request.developer_key
    if firms_key is not None and not developer_key.get_secret_value():
        if not takes_firm_key(base_url):
            raise NotConnected(
                "The firm's developer key is sent to BILL's own addresses only: give the key that "
                "belongs to this one.",
                "developer_key",
            )
        developer_key = firms_key
    required = {
        "organization_id": request.organization_id,
        "token_name": request.token_name,
        "token_password": request.token_password.get_secret_value(),
        "developer_key": developer_key.get_secret_value(),
    }
    for name, value in required.items():
        if not value:
            raise NotConnected("This is needed to log in to BILL.", name)
    address = urlsplit(base_url)
    if address.scheme != "https" and not is_near(address.hostname or ""):
        raise NotConnected(
            "The token would travel unencrypted: use an address that begins with https.",
            "environment",
        )
    return Connection(
        organization_id=request.organization_id,
        token_name=request.token_name,
        token_password=request.token_password,
        dev_key=developer_key,
        base_url=base_url,
        v2_url=v2_url,
    )


def _explained(error: BillError) -> NotConnected:
    said = f" (BILL: {error.code})" if error.code else ""
    for kind, (name, advice) in _ADVICE.items():
        if isinstance(error, kind):
            return NotConnected(advice + said, name)
    return NotConnected(f"{error.what}{said}. {error.remedy}")
