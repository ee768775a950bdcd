"""The year of docs/tresorerie.md, lived through by its commands, at nine o'clock of each day."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from click.testing import CliRunner

from cli import paquet
from provision.commands.shared import asking
from provision.commands.shared import context as commands_context
from provision.commands.shared.context import Context
from provision.errors import PaquetError
from provision.lab import bank
from provision.workflows.control import Control
from tests.integration.subscriptions import told_page

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pytest

    from tests.integration.subscriptions.told_page import Step

TOP = Path(__file__).parents[3]
PAGE = TOP / "docs/tresorerie.md"
SHOP, FRIENDS = "Boutique Libre", "Les Amis du Libre"
ACCOUNT = "FR7630004000031234567890143"
BEGINS = date(2026, 1, 1)
SETTINGS = """
[operator]
name = "Les Amis"
zone = "paquet.test"
language = "fr"
contact = "aide@paquet.test"
"""
FEBRUARY = "releve-fevrier.xml"
# What goes to the bank on which day, and when it is handed over, beside the two of the page.
COLLECTED = {
    2: (date(2026, 3, 17), date(2026, 3, 2)),
    4: (date(2026, 5, 15), date(2026, 4, 27)),
    5: (date(2026, 6, 15), date(2026, 5, 27)),
    6: (date(2026, 7, 15), date(2026, 6, 25)),
    7: (date(2026, 8, 14), date(2026, 7, 27)),
    8: (date(2026, 9, 14), date(2026, 8, 27)),
    9: (date(2026, 10, 15), date(2026, 9, 25)),
    10: (date(2026, 11, 16), date(2026, 10, 27)),
    11: (date(2026, 12, 15), date(2026, 11, 27)),
}
HANDED_OVER = {number: made for number, (_on, made) in COLLECTED.items()} | {3: date(2026, 4, 2)}


@dataclass(frozen=True)
class Meanwhile:
    """What the page does not show: commands of a day, or what the bank shows by then, in a file."""

    day: date
    words: tuple[str, ...] = ()
    shown: tuple[tuple[int, str], ...] = ()
    file: str = ""


def meanwhile() -> list[Meanwhile]:
    """Return what happens by itself, or as in the month before, in the order of its days."""
    found = [
        Meanwhile(date(2026, 2, 16), shown=((1000, f"REMISE PRLV {_batch(1)}"),), file=FEBRUARY),
        Meanwhile(
            date(2026, 3, 23),
            shown=(
                _transfer(2),
                (1000, f"REMISE PRLV {_batch(2)}"),
                (-1080, "REJET PRLV F2026-2-1 PROVISION INSUFFISANTE"),
            ),
        ),
        Meanwhile(date(2026, 4, 20), shown=((2000, f"REMISE PRLV {_batch(3)}"), _transfer(3))),
    ]
    billed = ("invoice", "run", "--yes")
    found += [Meanwhile(date(2026, month, 15), billed) for month in range(2, 13)]
    for month in range(2, 12):
        last = date(2026, month, monthrange(2026, month)[1])
        found.append(Meanwhile(last, ("settlement", "make", "--yes")))
        invoiced = ("settlement", "invoice", f"1-2-{month}", "--yes")
        found.append(Meanwhile(date(2026, month + 1, 8), invoiced))
    for number, (on, made) in COLLECTED.items():
        words = ("payment", "collect", SHOP, "--on", str(on), "--to", "prelevements", "--yes")
        found.append(Meanwhile(made, words))
        if number > 2:
            fee = ((-250, "FRAIS TENUE DE COMPTE"),) if number == 4 else ()
            batch = (1000, f"REMISE PRLV {_batch(number)}")
            shown = (batch, _transfer(number), *fee)
            found.append(Meanwhile(on + timedelta(days=3), shown=shown))
    return sorted(found, key=lambda one: one.day)


def _batch(number: int) -> str:
    """Return the name of the n-th file for the bank."""
    made = HANDED_OVER.get(number, date(2026, 1, 28))
    return f"P1-{number}-{made:%Y%m%d}T090000-0001"


def _transfer(month: int) -> tuple[int, str]:
    """Return what pays the association's invoice for a month: in April its share is a cent less."""
    return (-299 if month == 4 else -300, f"VIR F2026-{month:06d} {FRIENDS}")


@dataclass
class Year:
    """The steps of the page with what each command said, or what it raised."""

    folder: Path
    said: dict[int, list[str]] = field(default_factory=dict)
    raised: list[str] = field(default_factory=list)
    today: date = BEGINS
    units: int = 100_000
    statements: int = 0

    @property
    def context(self) -> Context:
        """What commands work with."""
        return Context(self.folder / "paquet.toml")

    def clock(self) -> datetime:
        return datetime.combine(self.today, time(9)).astimezone()

    def type(self, words: Sequence[str]) -> str:
        """Type a command, and yes to what it asks; return what it said."""
        if words[0] == "mkdir":
            Path(words[1]).mkdir()
            return ""
        answer = CliRunner().invoke(paquet, words[1:], input="y\n" * 3, standalone_mode=False)
        if answer.exception is not None:
            hint = getattr(answer.exception, "hint", "")
            self.raised.append(f"{self.today} {' '.join(words)}: {answer.exception} {hint}")
            if not isinstance(answer.exception, PaquetError | SystemExit):
                raise answer.exception
        return answer.output

    def live(self, steps: Sequence[Step]) -> None:
        """Do all of it, day by day; what the page does not show comes first."""
        waiting = meanwhile()
        for step in sorted(steps, key=lambda one: one.day):
            while waiting and waiting[0].day <= step.day:
                self._happen(waiting.pop(0))
            self.today = step.day
            self.said[step.line] = [self.type(words) for words in step.commands]

    def _happen(self, one: Meanwhile) -> None:
        self.today = one.day
        if one.words:
            self.type(("paquet", *one.words))
            return
        self.statements += 1
        entries = [bank.StatementEntry(one.day, units, text=text) for units, text in one.shown]
        account, message = bank.Account(ACCOUNT, self.units), f"REL{self.statements}"
        made = bank.statement(account, entries, (one.day, one.day), message)
        self.units = made.account.units
        file = one.file or f"{message}.xml"
        Path(file).write_bytes(made.content)
        if not one.file:
            self.type(("paquet", "statement", "import", SHOP, file))
            self.type(("paquet", "payment", "reconcile", SHOP, "--accept-certain"))


def live(folder: Path, patch: pytest.MonkeyPatch) -> Year:
    """Live through the year of the page in a folder of its own."""
    made = Year(folder)
    (folder / "paquet.toml").write_text(SETTINGS, encoding="utf-8")
    for name, text in _files():
        (folder / name).write_text(text, encoding="utf-8")
    patch.chdir(folder)
    patch.setenv("COLUMNS", "400")
    patch.setattr(commands_context, "Control", partial(Control, clock=made.clock))
    patch.setattr(asking, "someone_is_there", lambda: True)
    made.live(told_page.steps(PAGE.read_text(encoding="utf-8"), BEGINS))
    return made


def _files() -> Iterator[tuple[str, str]]:
    """Yield the files that the page says to copy from templates, made these two organisations'."""
    example = (TOP / "templates/organisation.example.toml").read_text(encoding="utf-8")
    reached = {
        "email": "ici@exemple.fr",
        "phone": "02 31 44 55 66",
        "website": "https://exemple.fr",
    }
    own = {"iban": ACCOUNT, "creditor_identifier": "FR72ZZZ123456"}
    shop = {
        "name": SHOP,
        "legal": "SARL, RCS Caen",
        "vat_id": "FR44732829320",
        "bic": "BNPAFRPPXXX",
    }
    yield "boutique.toml", _with(example, {**reached, **shop, **own})
    head, receipts = example.split("# [receipts]")
    signed = re.sub(r"^# (registration|purpose|signed)", r"\1", receipts, flags=re.MULTILINE)
    signed = _with(signed, {"registration": "RNA W142000001"})
    words = {
        "name": FRIENDS,
        "legal": "Association loi de 1901",
        "vat_id": "",
        "iban": "",
        "bic": "",
    }
    yield "amis.toml", _with(head, {**reached, **words}) + "[receipts]" + signed
    yield "plans.toml", (TOP / "templates/plans.example.toml").read_text(encoding="utf-8")


def _with(example: str, words: dict[str, str]) -> str:
    for name, value in words.items():
        example = re.sub(rf"^{name} = .*$", f'{name} = "{value}"', example, flags=re.MULTILINE)
    return example
