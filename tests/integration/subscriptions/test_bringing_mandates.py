"""Mandates from another program, of clients who are here: alone, and asked before they change."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from provision.commands.payments.mandate import mandate
from provision.commands.people.subscriber import subscriber
from provision.commands.shared import asking
from provision.errors import PaquetError, UsageRefused
from provision.subscriptions.parties import people
from tests.integration.subscriptions.bringing_shop import (
    RUM,
    SHOP,
    client,
    collecting_shop,
    iban,
    written,
)
from tests.integration.subscriptions.commanding import ask, read

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from provision.commands.shared.context import Context

TODAY = date(2026, 3, 10)
HEAD = "Courriel;Numéro paquet;RUM;IBAN;Signé le;Dernier prélèvement;Préavis;Téléphone"


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return collecting_shop(tmp_path)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "mandates.csv"


def brought(context: Context, file: Path, *rows: str) -> Any:  # noqa: ANN401 (JSON is anything)
    """Bring mandates in, and return what the command says."""
    file.write_text("\n".join((HEAD, *rows)), "utf-8")
    return read(context, mandate, "import", str(file), "--organisation", SHOP, "--yes")


def faults(context: Context, file: Path, rows: Sequence[str]) -> list[tuple[int, str, str]]:
    """Return what is wrong with mandates, and see that nothing is written."""
    file.write_text("\n".join((HEAD, *rows)), "utf-8")
    words = ("import", str(file), "--organisation", SHOP, "--skip-faulty", "--dry-run")
    told = read(context, mandate, *words)["faults"]
    with pytest.raises(PaquetError, match="faulty: nothing is written"):
        ask(context, mandate, "import", str(file), "--organisation", SHOP, "--yes")
    return [(fault["line"], fault["column"], fault["fault"]) for fault in told]


def test_mandates_keep_reference_signature_and_last_debit(context: Context, file: Path) -> None:
    number = str(read(context, subscriber, "add", "Paul Durand", "--yes")["number"])
    told = brought(
        context,
        file,
        f"jeanne@exemple.test;;OLD-1;{iban(1)};01/02/2024;2026-02-05;5;02 31 00 00 00",
        f";{number};OLD-2;{iban(2)};2024-02-02 00:00:00;;;",
    )
    assert told["brought"] == [
        {"what": "clients", "new": 0, "changed": 0, "already_there": 2},
        {"what": "mandates", "new": 2, "changed": 0, "already_there": 0},
    ]
    first, second = read(context, mandate, "list", SHOP)
    assert (first["reference"], first["subscriber"]) == ("OLD-1", "jeanne@exemple.test")
    assert (first["signed"], first["last_debit"]) == ("2024-02-01", "2026-02-05")
    assert first["notice_days"] == 5
    assert (second["subscriber"], second["notice_days"]) == (number, 14)
    assert second["signed"] == "2024-02-02"


def test_signatures_are_entered_by_reference_alone(context: Context, file: Path) -> None:
    granted = read(context, mandate, "add", SHOP, "jeanne@exemple.test", "--yes")
    told = brought(context, file, f";;{granted['reference']};{iban(1)};2026-03-09;;;")
    assert [(change["what"], change["old"]) for change in told["changes"]] == [
        ("account", ""),
        ("bic", ""),
        ("signed_on", ""),
    ]
    assert told["changes"][0]["new"] == f"FR76 … {iban(1)[-4:]}"
    (row,) = read(context, mandate, "list", SHOP)
    assert row["signed"] == "2026-03-09"
    again = brought(context, file, f";;{granted['reference']};{iban(1)};2026-03-09;;;")
    assert again["changes"] == []
    assert again["brought"][1]["already_there"] == 1


def test_nobody_becomes_a_subscriber_by_a_mandate(context: Context, file: Path) -> None:
    nobody = "Nobody here has this e-mail address or number"
    assert faults(
        context,
        file,
        (
            f"paul@exemple.test;;;{iban(1)};;;;",
            f";99;;{iban(2)};;;;",
            f";;UNKNOWN-1;{iban(3)};;;;",
            "jeanne@exemple.test;;;;2026-03-09;;;",
        ),
    ) == [
        (2, "", nobody),
        (3, "Numéro paquet", "There is no subscriber 99"),
        (4, "", nobody),
        (5, "IBAN", "The line tells of a mandate, but not of which account"),
    ]


def test_a_second_mandate_is_not_written_beside_one_in_force(context: Context, file: Path) -> None:
    brought(context, file, f"jeanne@exemple.test;;OLD-1;{iban(1)};2024-02-01;;;")
    (fault,) = faults(context, file, (f"jeanne@exemple.test;;OLD-2;{iban(2)};2024-02-01;;;",))
    assert fault == (2, "RUM", "The mandate OLD-1 of this subscriber is in force")
    ask(context, mandate, "revoke", SHOP, "OLD-1", "--why", "left the bank", "--yes")
    told = brought(context, file, f"jeanne@exemple.test;;OLD-1;{iban(1)};2024-02-01;;;")
    assert told["remarks"] == [{"remark": "Line 2: the mandate OLD-1 has ended here"}]
    told = brought(context, file, f"jeanne@exemple.test;;OLD-2;{iban(2)};2024-02-01;;;")
    assert told["brought"][1]["new"] == 1


def test_the_reference_of_somebody_who_was_erased_is_nobodys(context: Context, file: Path) -> None:
    brought(context, file, f"jeanne@exemple.test;;OLD-1;{iban(1)};2024-02-01;;;")
    with context.session() as session:
        people.subscriber_named(session, "1").name = people.mark(1)
    row = client(2)
    row[RUM] = "OLD-1"
    file.write_bytes(written([row]))
    words = ("import", str(file), "--organisation", SHOP, "--skip-faulty", "--dry-run")
    (fault,) = read(context, subscriber, *words)["faults"]
    assert fault["fault"] == "The mandate OLD-1 is of somebody else, subscriber 1"


@pytest.mark.parametrize("says", [True, False])
def test_what_a_line_says_otherwise_is_shown_and_asked(
    context: Context,
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
    says: bool,  # noqa: FBT001
) -> None:
    brought(context, file, f"jeanne@exemple.test;;OLD-1;{iban(1)};2024-02-01;2026-02-05;;")
    file.write_text(f"{HEAD}\n;;OLD-1;;;2026-03-05;;\n", "utf-8")
    asked: list[str] = []

    def agree(question: str, _hint: str, **_how: object) -> bool:
        asked.append(question)
        return says

    monkeypatch.setattr(asking, "someone_is_there", lambda: True)
    monkeypatch.setattr(asking, "agree", agree)
    answer = CliRunner().invoke(
        mandate, ["import", str(file), "--organisation", SHOP], obj=context, standalone_mode=False
    )
    assert asked == ["Bring them in?"]
    assert "last_collected_on  2026-02-05  2026-03-05" in answer.stdout
    (row,) = read(context, mandate, "list", SHOP)
    assert row["last_debit"] == ("2026-03-05" if says else "2026-02-05")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("Nom;IBAN\nJeanne;x\n", "no column says email or paquet_number or reference"),
        ("x;y\n1;2\n", "names no column that is known"),
    ],
)
def test_a_list_that_says_of_nobody_is_refused(
    context: Context, file: Path, text: str, sentence: str
) -> None:
    file.write_text(text, "utf-8")
    with pytest.raises(UsageRefused, match=sentence):
        ask(context, mandate, "import", str(file), "--organisation", SHOP)
