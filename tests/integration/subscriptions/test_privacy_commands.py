"""The commands, and that those of money name nobody."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from provision import database
from provision.commands.books.books import books
from provision.commands.people.privacy import privacy
from provision.commands.people.subscriber import subscriber
from provision.errors import PaquetError, UsageRefused
from provision.registry.models import Subscriber
from provision.subscriptions.privacy.models import ArchiveAccess
from tests.integration.subscriptions.commanding import ask, settled
from tests.integration.subscriptions.privacy_shop import (
    DOMAIN,
    EMAIL,
    FILE,
    KEY,
    NAME,
    STREET,
    build,
    copied,
    end,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from provision.commands.shared.context import Context
    from tests.integration.subscriptions.privacy_shop import World

NAMES = (NAME, "Jeanne", EMAIL, DOMAIN, STREET, "Paul", "paul@exemple.test")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built")
    build(folder)
    return folder


@pytest.fixture
def world(built: Path, tmp_path: Path) -> Iterator[World]:
    made = copied(built, tmp_path)
    yield made
    made.engine.dispose()


@pytest.fixture
def context(world: World) -> Iterator[Context]:
    folder = world.folder
    files = {"key_file": f"{folder / KEY}", "state": f"{folder / 'var'}"}
    made = settled(folder, FILE, inventory="inventory.yml", **files)
    yield made
    made.engine.dispose()


@pytest.mark.parametrize(
    "words",
    [
        ("balance",),
        ("balance", "--json"),
        ("balance", "--organisation", "Boutique Libre"),
        ("verify",),
        ("verify", "--json"),
    ],
)
def test_commands_of_money_name_nobody(context: Context, words: tuple[str, ...]) -> None:
    told = ask(context, books, *words)
    assert told.output.strip()
    assert [name for name in NAMES if name in told.output] == []


def test_the_list_knows_who_was_erased(context: Context, world: World) -> None:
    before = json.loads(ask(context, subscriber, "list", "--json").output)
    assert [(row["name"], row["bundles"], row["subscriptions"]) for row in before] == [
        (NAME, 1, 1),
        ("Paul Durand", 0, 1),
    ]
    end(world)
    ask(context, subscriber, "erase", EMAIL, "--why", "asked by letter", "--yes")
    after = json.loads(ask(context, subscriber, "list", "--json").output)
    assert (after[0]["name"], after[0]["email"]) == ("erased-1", "")
    assert after[0]["erased_on"]
    assert after[1] == before[1]


def test_show_says_what_stands_in_the_way(context: Context) -> None:
    facts = json.loads(ask(context, subscriber, "show", EMAIL, "--json").output)
    assert facts["name"] == NAME
    assert "subscription 1 is active" in facts["cannot_be_erased"]
    assert "invoice 6" in facts["rows"]


def test_a_dry_run_erases_nothing_and_says_all(context: Context, world: World) -> None:
    told = ask(context, subscriber, "erase", EMAIL, "--why", "asked", "--dry-run").output
    assert "In the way: subscription 1 is active. End it first" in told
    assert "€9.00 is open on F2026-000011" in told
    assert [name for name in NAMES if name in told] == []
    with database.transaction(world.engine) as session:
        assert session.get_one(Subscriber, 1).name == NAME


def test_nobody_is_erased_without_a_yes(context: Context, world: World) -> None:
    end(world)
    with pytest.raises(UsageRefused, match="Nobody is there to say yes"):
        ask(context, subscriber, "erase", EMAIL, "--why", "asked")
    with database.transaction(world.engine) as session:
        assert session.get_one(Subscriber, 1).name == NAME


def test_an_erased_person_is_read_from_the_archive_by_their_document(
    context: Context, world: World
) -> None:
    end(world)
    ask(context, subscriber, "erase", EMAIL, "--why", "asked by letter", "--yes", "--json")
    words = ("archive", "f2026-000001", "--organisation", "boutique libre", "--why", "audit")
    looked = ask(context, subscriber, *words, "--dry-run").output
    assert "F2026-000001" in looked
    assert [name for name in NAMES if name in looked] == []
    with database.transaction(world.engine) as session:
        assert session.scalars(select(ArchiveAccess.why)).all() == []
    found = json.loads(ask(context, subscriber, *words, "--yes", "--json").output)
    assert found["name"] == NAME
    with database.transaction(world.engine) as session:
        assert session.scalars(select(ArchiveAccess.why)).all() == ["audit"]


def test_an_erasure_without_the_key_file_is_refused_and_changes_nothing(
    context: Context, world: World, tmp_path: Path
) -> None:
    end(world)
    (tmp_path / KEY).unlink()
    with pytest.raises(PaquetError, match="cannot be read"):
        ask(context, subscriber, "erase", EMAIL, "--why", "asked", "--yes")
    with database.transaction(world.engine) as session:
        assert session.get_one(Subscriber, 1).name == NAME


def test_export_tells_where_and_how_much(context: Context, tmp_path: Path) -> None:
    words = ("export", EMAIL, "--to", str(tmp_path / "jeanne"), "--yes")
    told = json.loads(ask(context, subscriber, *words, "--json").output)
    assert told["files"] == len(list((tmp_path / "jeanne").iterdir()))


def test_a_purge_shows_and_does_only_what_is_due(context: Context, world: World) -> None:
    assert ask(context, privacy, "purge", "--dry-run").output == "Nothing is too old.\n"
    end(world)
    words = ("purge", "--dry-run", "--on", "2029-07-01")
    told = json.loads(ask(context, privacy, *words, "--json").output)
    assert [(row["what"], row["rule"]) for row in told] == [
        ("letter 1", "letter"),
        ("letter 2", "letter"),
        ("subscriber 1", "client"),
    ]
    assert [row["kept_until"] for row in told] == ["2028-01-01", "2028-01-01", "2029-06-30"]
    assert json.loads(ask(context, privacy, "purge", "--yes", "--json").output) == []


def test_what_is_due_only_in_the_future_cannot_be_taken_today(context: Context) -> None:
    with pytest.raises(UsageRefused, match="2089-01-01 is not there yet"):
        ask(context, privacy, "purge", "--yes", "--on", "2089-01-01")


def test_the_register_is_written_as_asked(context: Context, tmp_path: Path) -> None:
    for ending, first in ((".pdf", b"%PDF-"), (".html", b"<!DOCTYPE html>"), (".txt", b"REGISTRE")):
        file = tmp_path / f"registre{ending}"
        ask(context, privacy, "register", "--write", str(file), "--yes")
        assert file.read_bytes().startswith(first)
    with pytest.raises(UsageRefused, match="cannot be written as"):
        ask(context, privacy, "register", "--write", str(tmp_path / "registre"), "--yes")
