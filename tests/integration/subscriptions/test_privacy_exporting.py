"""Everything about a person, for them and for another program; nothing of anybody else."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select, text

from provision import database
from provision.errors import PaquetError, UsageRefused
from provision.registry.models import Subscriber
from provision.subscriptions.privacy import exporting, persons, tables
from provision.subscriptions.privacy.exporting import JSON, README
from provision.subscriptions.privacy.tables import HOLDINGS
from provision.workflows import privacy
from tests.integration.subscriptions.privacy_shop import (
    DOMAIN,
    EMAIL,
    NAME,
    STREET,
    TODAY,
    build,
    copied,
    make,
    pay,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Engine

    from tests.integration.subscriptions.privacy_shop import World


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


def exported(world: World, name: str = "jeanne") -> tuple[Path, dict[str, Any]]:
    folder = exporting.write(privacy.collected(world.control, EMAIL), world.folder / name)
    whole: dict[str, Any] = json.loads((folder / JSON).read_text(encoding="utf-8"))
    return folder, whole


# What Jeanne never had in this world: an erasure, barter, hours, debits, receipts, payouts, …
NOT_HERS = {
    "erasure",
    "barter_agreement",
    "barter_delivery",
    "time_given",
    "mandate",
    "collection_item",
    "collection_answer",
    "dunning_mark",
    "dunning_pause",
    "dunning_resume",
    "dunning_step",
    "receipt",
    "receipt_cancellation",
    "receipt_copy",
    "deposit_deduction",
    "payout_payment",
    "payout_booking",
    "renewal_notice",
}


def test_every_table_about_persons_is_in_the_export(world: World) -> None:
    with database.transaction(world.engine) as session:
        pay(session, world.jeanne)
    _folder, whole = exported(world)
    assert set(HOLDINGS) - NOT_HERS <= set(whole["tables"])
    assert {"event", "ledger_transaction"} <= set(whole["tables"])


def test_the_export_is_the_same_on_each_database(
    engine: Engine, tmp_path: Path, world: World
) -> None:
    folder = tmp_path / "each"
    folder.mkdir()
    _folder, whole = exported(make(engine, folder))
    _other, expected = exported(world)
    assert _without_chance(whole) == _without_chance(expected)


def _without_chance(whole: dict[str, Any]) -> str:
    """Return what does not depend on salts and names that are made by chance."""
    tables = whole["tables"]
    for name in ("party", "reference"):
        for rows in [*tables.values(), whole["documents"]]:
            for row in rows:
                row.pop(name, None)
    bundle = tables["bundle"][0]["name"]
    entries = tables.pop("ledger_posting"), tables.pop("ledger_transaction")
    assert all(entries)
    for row in [*tables["invoice"], *whole["documents"]]:
        row.pop("digest")
    return json.dumps(whole, sort_keys=True).replace(bundle, "b")


def test_the_export_says_who_what_and_how_much(world: World) -> None:
    _folder, whole = exported(world)
    assert whole["format"] == exporting.FORMAT
    assert whole["tables"]["subscriber"][0]["name"] == NAME
    assert whole["tables"]["bundle"][0]["domain"] == DOMAIN
    assert STREET in whole["tables"]["identity"][-1]["content"]
    assert whole["tables"]["turnover"][0]["units"] == 120_000
    assert [one["document"] for one in whole["documents"]] == [
        f"F2026-{number:06d}" for number in range(1, 12, 2)
    ]
    assert all(one["allocations"] == [] for one in whole["documents"])
    first = whole["documents"][0]
    assert sum(line["net"] for line in first["lines"]) == first["net"]
    assert first["gross"] == 900
    assert whole["tables"]["subscriber"][0]["created_at"] == "2026-01-01T09:00:00+00:00"


def test_no_secret_and_nobody_else_is_in_the_export(world: World) -> None:
    folder, whole = exported(world)
    everything = "".join(path.read_text(encoding="utf-8") for path in folder.iterdir())
    with database.transaction(world.engine) as session:
        salts = session.execute(text("SELECT salt, reference FROM person_reference")).all()
        other = session.get_one(Subscriber, world.paul)
        assert other.name not in everything
        assert other.email not in everything
    assert len(salts) == 2
    assert not any(salt in everything for salt, _reference in salts)
    assert "5ec4e7" not in everything
    assert sum(reference in everything for _salt, reference in salts) == 1
    assert "salt" not in whole["tables"]["person_reference"][0]


def test_a_batch_entry_shows_the_person_only_their_own_line(world: World) -> None:
    _folder, whole = exported(world)
    references = {row["party"] for row in whole["tables"]["ledger_posting"]}
    assert references == {whole["tables"]["person_reference"][0]["reference"]}


def test_a_new_table_is_in_the_export_at_once(world: World) -> None:
    with world.engine.begin() as raw:
        raw.execute(text("CREATE TABLE photograph (id INTEGER PRIMARY KEY, subscriber_id INTEGER)"))
        raw.execute(text("CREATE TABLE debit (number INTEGER PRIMARY KEY, photograph_id INTEGER)"))
        raw.execute(text("INSERT INTO photograph VALUES (7, 1), (8, 2)"))
        raw.execute(text("INSERT INTO debit VALUES (70, 7), (80, 8)"))
    _folder, whole = exported(world)
    assert whole["tables"]["photograph"] == [{"id": 7, "subscriber_id": 1}]
    assert whole["tables"]["debit"] == [{"number": 70, "photograph_id": 7}]


def test_csv_files_hold_the_rows_of_the_json(world: World) -> None:
    folder, whole = exported(world)
    for name, rows in whole["tables"].items():
        content = (folder / f"{name}.csv").read_text(encoding="utf-8-sig")
        read = list(csv.DictReader(io.StringIO(content), delimiter=";"))
        assert len(read) == len(rows)
        assert set(read[0]) == set(rows[0])


def test_a_name_that_looks_like_a_formula_is_text_in_the_csv(world: World) -> None:
    with database.transaction(world.engine) as session:
        session.get_one(Subscriber, world.jeanne).name = "=1+1"
    folder, _whole = exported(world)
    assert "'=1+1" in (folder / "subscriber.csv").read_text(encoding="utf-8-sig")


@pytest.mark.parametrize(
    ("language", "says", "says_not"),
    [("fr", "VOS DONNÉES", "YOUR DATA"), ("en", "YOUR DATA", "VOS DONNÉES")],
)
def test_the_readme_speaks_the_language_of_the_person_and_lists_the_files(
    world: World, language: str, says: str, says_not: str
) -> None:
    with database.transaction(world.engine) as session:
        session.get_one(Subscriber, world.jeanne).language = language
    folder, whole = exported(world)
    told = (folder / README[language]).read_text(encoding="utf-8")
    assert says in told
    assert says_not not in told
    assert all(f"{name}.csv" in told for name in whole["tables"])


def test_the_folder_is_for_its_owner_alone(world: World) -> None:
    folder, _whole = exported(world)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


def test_a_folder_that_is_there_is_not_touched(world: World) -> None:
    folder = world.folder / "taken"
    folder.mkdir()
    with pytest.raises(UsageRefused, match="is there already"):
        exporting.write(privacy.collected(world.control, EMAIL), folder)
    assert list(folder.iterdir()) == []
    with pytest.raises(UsageRefused, match="There is no folder"):
        exporting.write(privacy.collected(world.control, EMAIL), world.folder / "no" / "such")


def test_an_export_that_fails_leaves_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []

    def full_disk(path: Path, _content: bytes) -> None:
        written.append(path.name)
        if len(written) > 1:
            raise OSError("no space left")
        path.touch()

    parent = world.folder / "parent"
    parent.mkdir()
    monkeypatch.setattr(exporting, "replace_file", full_disk)
    with pytest.raises(OSError, match="no space left"):
        exporting.write(privacy.collected(world.control, EMAIL), parent / "jeanne")
    assert list(parent.iterdir()) == []


@pytest.mark.parametrize("who", ["nobody@exemple.test", "99", "", "1' OR '1'='1", "९", "9" * 40])
def test_who_is_not_there_is_not_repeated(world: World, who: str) -> None:
    refusal = pytest.raises(PaquetError, match="Nobody here has this")
    with database.transaction(world.engine) as session, refusal as refused:
        persons.find(session, who)
    assert not who or who not in refused.value.message


@pytest.mark.parametrize("who", [EMAIL, EMAIL.upper(), f" {EMAIL} ", "1"])
def test_a_person_is_found_by_address_or_number(world: World, who: str) -> None:
    with database.transaction(world.engine) as session:
        assert persons.find(session, who).name == NAME


def test_days_and_rows_come_in_the_order_of_their_keys(world: World) -> None:
    _folder, whole = exported(world)
    numbers = [(row["series"], row["number"]) for row in whole["tables"]["invoice"]]
    assert numbers == sorted(numbers)
    assert whole["made_on"] == TODAY.isoformat()


def test_columns_of_secrets_are_told_by_their_names(world: World) -> None:
    with database.transaction(world.engine) as session:
        there = tables.reflected(session)
        device = tables.shown_columns(there.tables["device"])
        assert session.scalars(select(Subscriber.id)).all() == [1, 2]
    assert "name" in device
    assert "secret_sha256" not in device
