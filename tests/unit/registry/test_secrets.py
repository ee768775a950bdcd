from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pydantic import SecretBytes, SecretStr
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from provision.database import Base
from provision.errors import PaquetError
from provision.registry import secrets
from provision.registry.models import SealedSecret

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEY = SecretBytes(b"k" * 32)


@pytest.fixture
def session() -> Iterator[Session]:
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine, tables=[Base.metadata.tables["sealed_secret"]])
    with Session(engine) as made:
        yield made
    engine.dispose()


def test_a_secret_opens_with_its_key(session: Session) -> None:
    safe = secrets.Safe(session, KEY)
    safe.put("bundle:b1", "backup_password", SecretStr("tournesol"))
    session.flush()
    assert safe.get("bundle:b1", "backup_password").get_secret_value() == "tournesol"


def test_the_row_alone_reveals_nothing(session: Session) -> None:
    secrets.Safe(session, KEY).put("bundle:b1", "backup_password", SecretStr("tournesol"))
    session.flush()
    assert b"tournesol" not in session.query(SealedSecret).one().sealed


def test_another_key_does_not_open_it(session: Session) -> None:
    secrets.Safe(session, KEY).put("bundle:b1", "backup_password", SecretStr("tournesol"))
    session.flush()
    with pytest.raises(PaquetError, match="does not open"):
        secrets.Safe(session, SecretBytes(b"x" * 32)).get("bundle:b1", "backup_password")


def test_what_is_forgotten_of_one_owner_stays_with_the_others(session: Session) -> None:
    safe = secrets.Safe(session, KEY)
    for owner in ("bundle:b1", "bundle:b2"):
        safe.put(owner, "backup_password", SecretStr("tournesol"))
        safe.put(owner, "backup_login", SecretStr("coquelicot"))
    session.flush()
    secrets.forget(session, "bundle:b1")
    assert {row.owner for row in session.query(SealedSecret)} == {"bundle:b2"}
    assert safe.get("bundle:b2", "backup_login").get_secret_value() == "coquelicot"


def test_a_secret_moved_to_another_owner_does_not_open(session: Session) -> None:
    safe = secrets.Safe(session, KEY)
    safe.put("bundle:b1", "backup_password", SecretStr("tournesol"))
    session.flush()
    session.query(SealedSecret).one().owner = "bundle:b2"
    session.flush()
    with pytest.raises(PaquetError, match="does not open"):
        safe.get("bundle:b2", "backup_password")


def test_an_absent_secret_is_said(session: Session) -> None:
    with pytest.raises(PaquetError, match="keeps no dkim"):
        secrets.Safe(session, KEY).get("bundle:b1", "dkim")


def test_a_key_file_is_made_once_and_private(tmp_path: Path) -> None:
    path = tmp_path / "paquet.key"
    secrets.make_key_file(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(secrets.read_key_file(path).get_secret_value()) == 32
    with pytest.raises(PaquetError, match="exists already"):
        secrets.make_key_file(path)


def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "paquet.key"
    secrets.make_key_file(path)
    path.chmod(0o640)
    with pytest.raises(PaquetError, match="Other people"):
        secrets.read_key_file(path)


def test_a_key_file_that_is_no_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "paquet.key"
    path.write_bytes(b"short")
    path.chmod(0o600)
    with pytest.raises(PaquetError, match="is not a key file"):
        secrets.read_key_file(path)
    with pytest.raises(PaquetError, match="cannot be read"):
        secrets.read_key_file(tmp_path / "absent")
