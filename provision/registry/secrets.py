"""Secrets that the registry must keep, sealed with a key that lies beside the settings.

AES-256-GCM (NIST SP 800-38D); the owner and the name are authenticated too, so that a sealed
secret moved to another row does not open. A copied registry alone reveals none.
"""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import SecretBytes, SecretStr
from sqlalchemy import delete

from provision.errors import PaquetError
from provision.registry.models import SealedSecret

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.orm import Session

KEY_BYTES, NONCE_BYTES = 32, 12


def make_key_file(path: Path) -> None:
    """Write a new key to `path`, readable by its owner alone; an existing file is refused."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise PaquetError(f"{path} exists already", "Keep it: it opens the registry.") from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(secrets.token_bytes(KEY_BYTES))


def read_key_file(path: Path) -> SecretBytes:
    """Return the key at `path`; refused when absent, too open, or not a key."""
    try:
        mode, key = path.stat().st_mode & 0o777, path.read_bytes()
    except OSError as wrong:
        raise PaquetError(
            f"The key file {path} cannot be read: {wrong.strerror}",
            "Restore it from your safe copy; a new registry gets one from `paquet init`.",
        ) from None
    if mode & 0o077:
        raise PaquetError(f"Other people can read the key file {path}", f"chmod 600 {path}")
    if len(key) != KEY_BYTES:
        raise PaquetError(f"{path} is not a key file", "Restore it from your safe copy.")
    return SecretBytes(key)


class Safe:
    """The sealed secrets of one registry, opened with one key."""

    def __init__(self, session: Session, key: SecretBytes) -> None:
        self._session = session
        self._cipher = AESGCM(key.get_secret_value())

    def put(self, owner: str, name: str, secret: SecretStr) -> None:
        """Seal `secret` as `name` of `owner`, in place of an earlier one."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = self._cipher.encrypt(
            nonce, secret.get_secret_value().encode(), _label(owner, name)
        )
        self._session.merge(SealedSecret(owner=owner, name=name, sealed=nonce + sealed))

    def get(self, owner: str, name: str) -> SecretStr:
        """Open the secret `name` of `owner`. Raises PaquetError when absent or not openable."""
        row = self._session.get(SealedSecret, (owner, name))
        if row is None:
            raise PaquetError(f"The registry keeps no {name} of {owner}")
        nonce, sealed = row.sealed[:NONCE_BYTES], row.sealed[NONCE_BYTES:]
        try:
            opened = self._cipher.decrypt(nonce, sealed, _label(owner, name))
        except InvalidTag:
            raise PaquetError(
                f"The {name} of {owner} does not open with this key file",
                "Use the key file that belongs to this registry.",
            ) from None
        return SecretStr(opened.decode())


def open_safe(session: Session, key_file: Path) -> Safe:
    """Return the sealed secrets of a registry, opened with the key at `key_file`."""
    return Safe(session, read_key_file(key_file))


def forget(session: Session, owner: str) -> None:
    """Delete every secret of `owner`: what was locked with them stays locked for ever."""
    session.execute(delete(SealedSecret).where(SealedSecret.owner == owner))


def _label(owner: str, name: str) -> bytes:
    return f"{owner}\0{name}".encode()
