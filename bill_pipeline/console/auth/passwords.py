"""Hash and check a user's password with scrypt. Nothing here stores anything."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

from pydantic import SecretStr

from bill_pipeline.errors import PipelineError

#: OWASP's recommendation for scrypt: 2^17 blocks of 8 use 128 MiB and about a third of a second.
COST, BLOCK_SIZE, PARALLELISM = 2**17, 8, 1
SHORTEST = 12
LONGEST = 1024  # no one types more; a megabyte of password would be a way to keep us busy


class WeakPassword(PipelineError):
    """The password is too short, or too long to be one."""


def require_strong(password: SecretStr, *, user_name: str) -> None:
    """Length is what counts, and that it is not the user's own name. Raises WeakPassword."""
    text = password.get_secret_value()
    if not SHORTEST <= len(text) <= LONGEST:
        raise WeakPassword(
            f"The password of {user_name} needs at least {SHORTEST} characters. A sentence of four "
            "or five words is easy to remember and hard to guess."
        )
    if user_name.casefold() in text.casefold() and len(text) < len(user_name) + SHORTEST:
        raise WeakPassword(f"The password of {user_name} may not be made of the user's name.")
    if len(set(text)) < 5:
        raise WeakPassword(f"The password of {user_name} repeats a few characters only.")


def hashed(password: SecretStr) -> str:
    """``scrypt$cost$salt$hash``: everything that ``matches`` needs, so the cost can grow."""
    salt = secrets.token_bytes(16)
    digest = _scrypt(password, salt, COST)
    return "$".join(("scrypt", str(COST), _text(salt), _text(digest)))


def matches(password: SecretStr, stored: str) -> bool:
    """Whether ``password`` is the one that ``stored`` was made from, in constant time."""
    _name, cost, salt, digest = stored.split("$")
    if len(password.get_secret_value()) > LONGEST:
        return False
    return hmac.compare_digest(
        _scrypt(password, base64.b64decode(salt), int(cost)), base64.b64decode(digest)
    )


def _scrypt(password: SecretStr, salt: bytes, cost: int) -> bytes:
    return hashlib.scrypt(
        password.get_secret_value().encode(),
        salt=salt,
        n=cost,
        r=BLOCK_SIZE,
        p=PARALLELISM,
        maxmem=256 * BLOCK_SIZE * cost,
        dklen=32,
    )


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()
