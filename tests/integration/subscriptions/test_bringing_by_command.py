"""`paquet subscriber import`: two hundred clients, seven of them wrong, until all are there."""

from __future__ import annotations

import csv
import errno
import json
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event, func, select

from provision.commands.people.subscriber import subscriber
from provision.commands.shared import client_lists
from provision.errors import PaquetError, UsageRefused
from provision.registry.models import Subscriber
from tests.integration.subscriptions.bringing_shop import (
    ACCOUNT,
    EMAIL,
    HEAD,
    NAME,
    PLAN,
    SHOP,
    SIGNED,
    client,
    collecting_shop,
    iban,
    written,
)
from tests.integration.subscriptions.commanding import ask

if TYPE_CHECKING:
    from pathlib import Path

    from provision.commands.shared.context import Context

TODAY = date(2026, 3, 10)


@pytest.fixture
def context(tmp_path: Path) -> Context:
    """A shop that may collect, and Jeanne, its one subscriber."""
    return collecting_shop(tmp_path)


def imported(context: Context, file: Path, *words: str) -> Any:  # noqa: ANN401 (JSON is anything)
    """Return what an import says, also where it refuses; the sentence stands under "refused"."""
    every = ("import", str(file), "--organisation", SHOP, *words, "--json")
    try:
        answer = ask(context, subscriber, *every)
    except PaquetError as refused:
        return {"refused": refused.message}
    return json.loads(answer.stdout)


def faulty() -> list[list[str]]:
    """Return two hundred clients, seven of whom are wrong in seven ways."""
    rows = [client(number) for number in range(1, 201)]
    rows[9][EMAIL] = "client10.exemple.test"
    rows[19][ACCOUNT] = iban(20)[:-1] + ("1" if iban(20)[-1] != "1" else "2")
    rows[29][EMAIL] = "client5@exemple.test"
    rows[39][SIGNED] = "31/02/2024"
    rows[49].append("one cell too many")
    rows[59][NAME] = "=cmd|' /C calc'!A0"
    rows[69][PLAN] = "inconnue"
    return rows


def test_a_preview_names_seven_faults_and_once_they_are_mended_all_are_there(
    context: Context, tmp_path: Path
) -> None:
    file = tmp_path / "clients.csv"
    file.write_bytes(written(faulty()))
    every = ("import", str(file), "--organisation", SHOP)
    with pytest.raises(PaquetError, match="7 lines are faulty: nothing is written"):
        ask(context, subscriber, *every, "--yes")
    assert imported(context, file, "--dry-run") == {
        "refused": "7 lines are faulty: nothing is written"
    }
    with context.reading() as session:
        assert session.scalar(select(func.count()).select_from(Subscriber)) == 1
    told = imported(context, file, "--dry-run", "--skip-faulty")
    assert [(fault["line"], fault["column"]) for fault in told["faults"]] == [
        (11, "Courriel"),
        (21, "IBAN"),
        (31, "Courriel"),
        (41, "Signé le"),
        (51, ""),
        (61, "Nom"),
        (71, "Formule"),
    ]
    assert all(fault["fault"] and fault["hint"] for fault in told["faults"])
    assert iban(20)[4:20] not in json.dumps(told)
    assert told["brought"][0] == {"what": "clients", "new": 193, "changed": 0, "already_there": 0}
    file.write_bytes(written([client(number) for number in range(1, 201)]))
    done = imported(context, file, "--yes")
    assert [thing["new"] for thing in done["brought"]] == [200, 200, 200]
    again = imported(context, file, "--yes")
    assert [thing["already_there"] for thing in again["brought"]] == [200, 200, 200]


def test_what_is_wrong_in_many_lines_is_told_once(
    context: Context, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "clients.csv"
    rows = [client(number) for number in range(1, 201)]
    for row in rows[2:102]:
        row[PLAN] = "inconnue"
    file.write_bytes(written(rows))
    with pytest.raises(PaquetError, match="100 lines are faulty"):
        subscriber.main(
            ["import", str(file), "--organisation", SHOP, "--dry-run"],
            obj=context,
            standalone_mode=False,
        )
    (told,) = [line for line in capsys.readouterr().out.splitlines() if "inconnue" in line]
    assert told.startswith("4-103  Formule ")


def test_faulty_lines_are_left_aside_in_a_file_of_their_own(
    context: Context, tmp_path: Path
) -> None:
    file, rest = tmp_path / "clients.csv", tmp_path / "clients-to-mend.csv"
    file.write_bytes(written(faulty()))
    done = imported(context, file, "--skip-faulty", "--yes")
    assert done["to_mend"] == str(rest)
    assert rest.stat().st_mode & 0o777 == 0o600
    rows = list(csv.reader(rest.read_text("utf-8-sig").splitlines(), delimiter=";"))
    assert rows[0] == ["À mender", *HEAD]
    assert len(rows) == 8
    with pytest.raises(UsageRefused, match="is there already"):
        ask(context, subscriber, "import", str(file), "--organisation", SHOP, "--skip-faulty")
    mended = [client(number) for number in (10, 20, 30, 40, 50, 60, 70)]
    rest.write_bytes(written(mended))
    assert [thing["new"] for thing in imported(context, rest, "--yes")["brought"]] == [7, 7, 7]
    with context.reading() as session:
        assert session.scalar(select(func.count()).select_from(Subscriber)) == 201


def skipping(context: Context, folder: Path) -> None:
    """Bring in a list of which seven lines are left aside."""
    file = folder / "clients.csv"
    file.write_bytes(written(faulty()))
    words = ("import", str(file), "--organisation", SHOP, "--skip-faulty", "--yes")
    ask(context, subscriber, *words)


def assert_nothing_was_brought_in(context: Context, folder: Path) -> None:
    assert list(folder.glob("*to-mend*")) == []
    with context.reading() as session:
        assert session.scalar(select(func.count()).select_from(Subscriber)) == 1


def test_lines_that_cannot_be_left_aside_leave_the_registry_as_it_was(
    context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_words: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(client_lists, "replace_file", full)
        with pytest.raises(PaquetError, match="cannot be written: No space left"):
            skipping(context, tmp_path)
    assert_nothing_was_brought_in(context, tmp_path)
    skipping(context, tmp_path)


def test_a_registry_that_takes_nothing_leaves_no_lines_to_mend(
    context: Context, tmp_path: Path
) -> None:
    def gone(*_words: object) -> None:
        assert (tmp_path / "clients-to-mend.csv").exists()
        raise UsageRefused("The registry is gone", "Look for it.")

    event.listen(context.engine, "commit", gone)
    with pytest.raises(UsageRefused, match="The registry is gone"):
        skipping(context, tmp_path)
    event.remove(context.engine, "commit", gone)
    assert_nothing_was_brought_in(context, tmp_path)
    skipping(context, tmp_path)


def test_nobody_at_the_keyboard_is_asked_and_nothing_is_written(
    context: Context, tmp_path: Path
) -> None:
    file = tmp_path / "clients.csv"
    file.write_bytes(written([client(1)]))
    with pytest.raises(UsageRefused, match="Nobody is there to say yes"):
        ask(context, subscriber, "import", str(file), "--organisation", SHOP)
    with context.reading() as session:
        assert session.scalar(select(func.count()).select_from(Subscriber)) == 1
