"""Seal and open secrets with authenticated encryption.

A sealed text is safe to store: without the key it can be neither read nor changed unnoticed. The
key comes from the environment, from a command that asks a keyring, or from a file that only its
owner can read and that is made at first use. Nothing here knows what it seals.
"""

from __future__ import annotations

import os
import secrets
import shlex
import stat
import subprocess
from functools import lru_cache
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from pydantic import SecretStr

from bill_pipeline.errors import PipelineError
from bill_pipeline.runtime.core_dumps import leave_no_core_dump
from bill_pipeline.settings import Home, Settings

#: A keyring that is locked asks its owner, who may be away.
KEYRING_SECONDS = 60


class VaultError(PipelineError):
    """The key is missing, readable by others, or not the one a secret was sealed with."""


class Vault:
    """Seals with the first key; opens with any of them, so that a key can be rotated."""

    def __init__(self, keys: list[SecretStr]) -> None:
        if not keys:
            raise VaultError("A vault needs at least one key.")
        try:
            self._fernet = MultiFernet([Fernet(key.get_secret_value().encode()) for key in keys])
        except ValueError:
            raise VaultError(
                "The secret key is not 32 bytes in URL-safe base64. Make one with "
                "`bill-pipeline rotate-key --print`."
            ) from None

    @classmethod
    def of(cls, home: Home) -> Vault:
        """The vault of ``home``: the key of the settings, else of <home>/secret.key.

        Several keys may be given, separated by commas or lines: the first seals, all open.
        """
        leave_no_core_dump()
        configured = configured_keys()
        text = configured.get_secret_value() if configured else _read_key_file(home.secret_key)
        try:
            return cls([SecretStr(key) for key in text.replace(",", "\n").split()])
        except VaultError:
            if configured:
                raise
            raise VaultError(
                f"{home.secret_key} is damaged. Put it back from a backup, or delete it and "
                "connect the clients again."
            ) from None

    def seal(self, secret: SecretStr) -> str:
        return self._fernet.encrypt(secret.get_secret_value().encode()).decode()

    def open(self, sealed: str) -> SecretStr:
        """Raises VaultError when ``sealed`` was made with another key or was altered."""
        try:
            return SecretStr(self._fernet.decrypt(sealed.encode()).decode())
        except InvalidToken:
            raise VaultError(
                "A stored secret cannot be opened with this key. Put back the key it was sealed "
                "with (BILL_PIPELINE_SECRET_KEY or <home>/secret.key), or connect the client anew."
            ) from None

    def reseal(self, sealed: str) -> str:
        """The same secret sealed with the first key."""
        return self.seal(self.open(sealed))


def configured_keys() -> SecretStr | None:
    """The keys that the settings give, or have a keyring give; None: there is a key file.

    Raises VaultError when the keyring gives none.
    """
    settings = Settings.now()
    if settings.secret_key is not None or settings.secret_key_command is None:
        return settings.secret_key
    return _keys_of_keyring(settings.secret_key_command)


@lru_cache(maxsize=1)
def _keys_of_keyring(command: str) -> SecretStr:
    problem = "it printed nothing"
    try:
        done = subprocess.run(  # noqa: S603 - the firm's own command, from its environment
            shlex.split(command),
            capture_output=True,
            timeout=KEYRING_SECONDS,
            check=True,
            text=True,
        )
        if done.stdout.strip():
            return SecretStr(done.stdout)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        problem = f"it failed ({type(error).__name__})"
    raise VaultError(
        f"BILL_PIPELINE_SECRET_KEY_COMMAND gave no key: {problem}. Unlock the keyring, run "
        "the command by hand; if it has no key, store one of `bill-pipeline rotate-key --print`."
    )


def new_key() -> SecretStr:
    return SecretStr(Fernet.generate_key().decode())


def rotate_key_file(path: Path) -> None:
    """Put a new key in front of the old ones, in one step; old secrets still open."""
    keys = [new_key().get_secret_value(), *_read_key_file(path).split()]
    _write_private(path, "\n".join(keys) + "\n")


def retire_old_keys(path: Path) -> None:
    """Keep the first key only; call it after every secret was resealed."""
    _write_private(path, _read_key_file(path).split()[0] + "\n")


def _read_key_file(path: Path) -> str:
    if not path.exists():
        _write_private(path, new_key().get_secret_value() + "\n", exclusive=True)
    if path.is_dir():
        raise VaultError(
            f"{path} is a folder where the key's file belongs. Move it away and put {path.name} "
            "back from a backup, or connect the clients again."
        )
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise VaultError(f"{path.name} can be read by others: run `chmod 600 {path}`.")
    return path.read_text(errors="replace")  # what is no text is no key either, and is said so


def _write_private(path: Path, text: str, *, exclusive: bool = False) -> None:
    """Write ``text`` to ``path`` with mode 0600, whole or not at all.

    ``exclusive``: when another process writes the file first, its content stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Threads of one process write too: the name is each writer's own.
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    if not exclusive:
        temporary.replace(path)
        return
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        pass
    finally:
        temporary.unlink()
