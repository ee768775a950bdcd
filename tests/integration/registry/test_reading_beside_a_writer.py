from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from provision import database
from provision.migrations import upgrades
from provision.registry.models import Subscriber

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Engine
    from sqlalchemy.orm import Session


def jeanne() -> Subscriber:
    born = datetime(2026, 1, 1, tzinfo=UTC)
    return Subscriber(name="Jeanne", email="j@exemple.test", language="fr", created_at=born)


def counted(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Subscriber)) or 0


def test_a_reader_works_while_a_writer_holds_the_registry(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "WAIT_MS", 0)
    with database.transaction(engine) as writer:
        writer.add(jeanne())
        writer.flush()
        upgrades.upgrade(engine)  # as every command does
        with database.reading(engine) as reader:
            assert counted(reader) == 0
    with database.reading(engine) as reader:
        assert counted(reader) == 1


def test_a_writer_works_while_a_reader_looks_at_one_state(engine: Engine) -> None:
    with database.reading(engine) as reader:
        assert counted(reader) == 0
        with database.transaction(engine) as writer:
            writer.add(jeanne())
        assert counted(reader) == 0


def by_the_models(reader: Session) -> None:
    reader.add(jeanne())
    reader.flush()


def by_hand(reader: Session) -> None:
    reader.execute(text("DELETE FROM subscriber"))


@pytest.mark.parametrize("write", [by_the_models, by_hand])
def test_who_reads_cannot_write(engine: Engine, write: Callable[[Session], None]) -> None:
    with (
        pytest.raises(DBAPIError, match=r"readonly|read-only"),
        database.reading(engine) as reader,
    ):
        write(reader)
    with database.transaction(engine) as writer:  # on the same connection, out of the pool
        writer.add(jeanne())
    with database.reading(engine) as reader:
        assert counted(reader) == 1
