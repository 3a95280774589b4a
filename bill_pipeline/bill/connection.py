"""What is needed to reach one organisation in BILL. No I/O here."""

from __future__ import annotations

import hashlib
import ipaddress
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, SecretStr, field_validator

PRODUCTION_URL = "https://gateway.prod.bill.com/connect"
PRODUCTION_V2_URL = "https://api.bill.com/api/v2"
SANDBOX_URL = "https://gateway.stage.bill.com/connect"
SANDBOX_V2_URL = "https://api-stage.bill.com/api/v2"


class Connection(BaseModel):
    """One organisation's address and credentials; secrets never show in ``repr``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    organization_id: str
    token_name: str  # a sync token's name, or a user's e-mail address
    token_password: SecretStr  # the token's value, or the user's password
    dev_key: SecretStr
    base_url: str = PRODUCTION_URL  # v3; paths such as /v3/bills follow
    v2_url: str = PRODUCTION_V2_URL  # v2; paths such as /List/Bill.json follow

    @field_validator("base_url", "v2_url")
    @classmethod
    def _address(cls, url: str) -> str:
        parts = urlsplit(url)
        host = parts.hostname or ""
        # Plain http would show the token to the network.
        if not host or not (parts.scheme == "https" or (parts.scheme == "http" and is_near(host))):
            raise ValueError(f"{host or url!r} must be reached by https")
        return url.rstrip("/")

    @property
    def is_local(self) -> bool:
        """Whether BILL is played by a sandbox on this machine."""
        return is_near(urlsplit(self.base_url).hostname or "")

    @property
    def dev_key_hash(self) -> str:
        """The developer key's name in shared tables: limits are counted per key."""
        return _digest(self.dev_key.get_secret_value())

    @property
    def fingerprint(self) -> str:
        """Changes with any part of the connection: an old session must not serve a new token."""
        parts = (
            self.base_url,
            self.organization_id,
            self.token_name,
            self.token_password.get_secret_value(),
            self.dev_key.get_secret_value(),
        )
        return _digest("\n".join(parts))


def is_near(host: str) -> bool:
    """Whether ``host`` is this machine, without asking anybody what a name means.

    Only as addresses are written today: what else some resolvers take for one (``2130706433``,
    ``127.1``) may be another machine to others.
    """
    if host.lower().removesuffix(".") == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=16, person=b"bill-connection").hexdigest()
