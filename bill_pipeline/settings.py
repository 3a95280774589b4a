"""The only reader of environment variables, and the only place that knows the home's layout.

Nothing is read at import time: importing never needs an environment variable or a file.
"""

from __future__ import annotations

import contextlib
import os
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from bill_pipeline import at_rest
from bill_pipeline.errors import PipelineError

#: BILL's environments by name: (v3 base URL, v2 base URL).
ENVIRONMENTS: dict[str, tuple[str, str]] = {
    "production": ("https://gateway.prod.bill.com/connect", "https://api.bill.com/api/v2"),
    "sandbox": ("https://gateway.stage.bill.com/connect", "https://api-stage.bill.com/api/v2"),
}

_PREFIX = "BILL_PIPELINE_"
CLIENT_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
#: Characters of one thing that a person types: a reason, a name, a text to look for.
LONGEST_TEXT = 4_000


class SettingsError(PipelineError):
    """A setting or a name given by a person cannot be used; the message says what to change."""


class Settings(BaseSettings):
    """Everything that can be set from outside, as ``BILL_PIPELINE_<NAME>``."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, extra="ignore", frozen=True)

    home: Path = Field(Path("data"), description="Folder of the registry and all books.")
    dev_key: SecretStr | None = Field(None, description="The firm's BILL developer key.")
    bill_hosts: str = Field(
        "",
        description="Hosts, with commas, that the firm's developer key may be sent to besides "
        "BILL's own, when somebody types their address in the console.",
    )
    secret_key: SecretStr | None = Field(
        None, description="Key that seals sync tokens; otherwise <home>/secret.key is used."
    )
    secret_key_command: str | None = Field(
        None, description="Command that prints that key, for example one that asks a keyring."
    )
    requests_per_hour: int = Field(
        20_000, gt=0, description="Requests per developer key and hour that BILL allows."
    )
    read_v2: bool = Field(True, description="Also read what only BILL's v2 API offers.")
    read_documents: bool = Field(
        False, description="Also list the files attached to each bill (one request per bill)."
    )
    target_precision: float = Field(
        0.95, gt=0.5, lt=1, description="Share of lines booked without asking that must be right."
    )
    shared_home: bool = Field(
        False, description="The home lies on a file system that several machines share."
    )
    workers: int = Field(
        0, ge=0, description="Processes of one run over many clients; 0: one per core, at most 4."
    )
    alert_webhook: SecretStr | None = Field(
        None, description="URL that gets a POST when a client fails."
    )
    alert_email: str | None = Field(
        None, description="Address, or several with commas, that gets a mail when a client fails."
    )
    alert_smtp_url: SecretStr | None = Field(
        None, description="Mail server: smtp://user:password@host:587 (STARTTLS) or smtps://…:465."
    )
    alert_hosts: str = Field(
        "",
        description="Hosts, with commas, of the alerts' webhook and mail server that may be on "
        "this machine or its own network; others are asked on the open internet only.",
    )
    dagster_postgres_url: SecretStr | None = Field(
        None, description="PostgreSQL for Dagster's runs and events; otherwise SQLite in the home."
    )
    ducklake_catalogue: str | None = Field(
        None,
        description="PostgreSQL database of a DuckLake that the books are published to, as "
        "'dbname=… host=… user=…'; otherwise they are files in the home.",
    )
    ducklake_data: str | None = Field(
        None, description="Folder or s3:// address of the DuckLake's files; else <home>/lake."
    )

    @classmethod
    def now(cls) -> Settings:
        """As the environment says now; parsed anew only when it says something else.

        A sweep asks thousands of times, and parsing takes milliseconds.
        """
        ours = (item for item in os.environ.items() if item[0].upper().startswith(_PREFIX))
        return _parsed(tuple(ours))

    @property
    def sqlite_journal_mode(self) -> str:
        """Write-ahead logs need memory that processes share: one machine, never two."""
        return "delete" if self.shared_home else "wal"


@lru_cache(maxsize=1)
def _parsed(environment: tuple[tuple[str, str], ...]) -> Settings:
    return Settings()


@dataclass(frozen=True)
class Home:
    """The folder that holds one firm's registry, books and published ledger."""

    path: Path

    @classmethod
    def at(cls, path: str | Path | None = None) -> Home:
        """The home at ``path``, else BILL_PIPELINE_HOME, else ``./data``; made if missing.

        A new one is open to its owner alone, as is what this process makes from now on: books and
        a key lie in it. See ``at_rest``.
        """
        home = cls(Path(path or Settings.now().home).expanduser().resolve())
        at_rest.make_home(home.path)
        at_rest.keep_private(home.path, home._parts)
        # A copy that is only read may lack them where nothing may be made: who writes is told then.
        with contextlib.suppress(OSError):
            for folder in home._private_folders:
                folder.mkdir(mode=0o700, exist_ok=True)
        return home

    @property
    def _private_folders(self) -> tuple[Path, ...]:
        return (self.clients, self.models, self.dlt, self.dagster, self.statements)

    @property
    def _parts(self) -> at_rest.Parts:
        private = (self.registry, self.budget, self.console, self.look_alike)
        logs = tuple(
            path.with_name(path.name + ending) for path in private for ending in ("-wal", "-shm")
        )
        return at_rest.Parts(
            for_readers=(self.published, self.ledger, self.lake, self.lake_door),
            for_colleagues=(*private, *logs, *self._private_folders),
            for_nobody=(self.secret_key,),
        )

    @property
    def registry(self) -> Path:
        return self.path / "registry.sqlite"

    @property
    def secret_key(self) -> Path:
        return self.path / "secret.key"

    @property
    def budget(self) -> Path:
        return self.path / "budget.sqlite"

    @property
    def console(self) -> Path:
        """The console's users, sessions and audit log."""
        return self.path / "console.sqlite"

    @property
    def look_alike(self) -> Path:
        """Where ``demo`` keeps what its BILL look-alike holds."""
        return self.path / "look-alike.state"

    @property
    def clients(self) -> Path:
        return self.path / "clients"

    @property
    def published(self) -> Path:
        return self.path / "published"

    @property
    def ledger(self) -> Path:
        return self.path / "ledger.duckdb"

    @property
    def lake(self) -> Path:
        return self.path / "lake"

    @property
    def lake_door(self) -> Path:
        """SQL that opens the published ledger when it is a DuckLake."""
        return self.path / "ledger.sql"

    @property
    def models(self) -> Path:
        return self.path / "models"

    @property
    def dagster(self) -> Path:
        return self.path / "dagster"

    def client_file(self, client: str) -> Path:
        """The DuckDB file with everything of one client."""
        return self.clients / f"{require_client_name(client)}.duckdb"

    @property
    def dlt(self) -> Path:
        return self.path / "dlt"

    @property
    def statements(self) -> Path:
        """Each client's monthly workbooks."""
        return self.path / "statements"

    def dlt_folder(self, client: str) -> Path:
        """dlt's working folder; one per client, or clients load each other's packages."""
        return self.dlt / require_client_name(client)


def require_client_name(client: str) -> str:
    """``client`` if it can name a client's files and partition, else raises SettingsError."""
    if not CLIENT_NAME.fullmatch(client):
        raise SettingsError(
            f"{client!r} cannot name a client: use 1 to 63 lower-case letters, digits, '-' or '_', "
            "beginning with a letter or digit, for example 'acme-bakery'."
        )
    return client


def takes_firm_key(base_url: str) -> bool:
    """Whether the firm's developer key may be sent there because somebody typed the address."""
    ours = {urlsplit(url).hostname for urls in ENVIRONMENTS.values() for url in urls}
    named = {host.strip().lower() for host in Settings.now().bill_hosts.split(",")} - {""}
    address = urlsplit(base_url)
    return address.hostname in named or (address.scheme == "https" and address.hostname in ours)


def base_urls(environment: str) -> tuple[str, str]:
    """(v3 base URL, v2 base URL) for ``production``, ``sandbox`` or a look-alike's URL."""
    if environment in ENVIRONMENTS:
        return ENVIRONMENTS[environment]
    if re.match(r"https?://", environment):
        root = environment.rstrip("/").removesuffix("/connect")
        return f"{root}/connect", f"{root}/api/v2"
    raise SettingsError(
        f"Unknown BILL environment {environment!r}: use 'production', 'sandbox' or a URL."
    )
