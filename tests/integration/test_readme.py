"""The README's own commands, typed as they stand, in order, in a fresh folder, on this day.

Servers are nobody's here: what needs them is typed in the lab (tests/lab/test_readme.py), and an
order is only looked at. What comes by download is not fetched; its command is read.
"""

from __future__ import annotations

import re
import shlex
import subprocess
from typing import TYPE_CHECKING

import click
import pytest

from cli import paquet
from provision import settings
from provision.commands.shared.context import Context
from provision.registry import orders
from provision.subscriptions.selling import opening
from provision.workflows import ordering
from tests.integration.subscriptions.commanding import own_profile
from tests.readme import PAGES, ROOT, commands, in_sentences, type_in

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ANSWERS = (
    "Nuage Libre",
    "nuage.example",
    "aide@nuage.example",
    "02 31 44 55 66",
    "fr",
    "alone",
    "",
)
YES = ("y",)
MAKE = ("make rehearse", "make test", "make setup && . .venv/bin/activate")
IN_LAB = ("paquet dns publish", "paquet server prepare")
LOOKED_AT = ("paquet order place",)
TYPED = {
    "paquet init": (*ANSWERS, *YES),
    "paquet organisation add": YES,
    "paquet contract add": YES,
    "paquet plan import": YES,
    "paquet organisation describe": YES,
    "paquet invoice run": YES,
    "paquet invoice list": (),
    "paquet invoice write": YES,
    "paquet books verify": (),
}


def of(command: str, known: tuple[str, ...]) -> str:
    """Return the known command that `command` begins with, '' for none."""
    return next((one for one in known if command.startswith(one)), "")


def servers(folder: Path) -> None:
    """Write two servers of one's own, as the text says."""
    file = folder / "inventory.yml"
    text = file.read_text("utf-8").replace("example.org", "nuage.example")
    file.write_text(text.replace("192.0.2.", "198.51.100."), "utf-8")


def profile(folder: Path) -> None:
    """Give organisation.toml words of one's own."""
    own_profile(folder, "organisation.toml", name="Nuage Libre")


def delivered(folder: Path) -> None:
    """Have the order of the README delivered, as far as money knows."""
    control = Context(folder / "paquet.toml").control()
    place = next(one for one in commands("README.md") if one.startswith("paquet order place"))
    words = shlex.split(place)[3:]
    email, given = words[0], dict(zip(words[1::2], words[2::2], strict=True))
    wish = ordering.check(
        control,
        ordering.Words(
            email=email,
            name=given["--name"],
            plan=given["--plan"],
            domain=given["--domain"],
            cloud="light",
            server=None,
            sold_by=given["--sold-by"],
            supported_by=given.get("--supported-by"),
            login=None,
            language=None,
            device="Téléphone",
            kind="android",
        ),
    )
    number = ordering.place(control, wish)
    with control.session() as session:
        opened = opening.of_order(session, orders.get(session, number).id)
        assert opened is not None
        opening.begin(session, opened, control.today())


# What the text around a command tells its reader to do first.
BEFORE: dict[str, Callable[[Path], None]] = {
    "paquet organisation describe": profile,
    "paquet order place": servers,
    "paquet invoice run": delivered,
}


@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_a_readme_is_known_here(page: str) -> None:
    """Whoever adds a command says here how it is tried."""
    known = (*MAKE, *IN_LAB, *LOOKED_AT, *TYPED)
    assert [one for one in commands(page) if not of(one, known)] == []


@pytest.mark.parametrize("page", PAGES)
def test_no_command_of_a_readme_names_a_year(page: str) -> None:
    shown = [*commands(page), *in_sentences(page)]
    assert [one for one in shown if re.search(r"20\d\d", one)] == []


def test_both_languages_show_the_same_commands() -> None:
    english, french = ([one.split("#")[0].strip() for one in commands(page)] for page in PAGES)
    assert [one.replace("--to factures", "--to invoices") for one in french] == english


def test_the_commands_of_the_readme_work_on_the_day_they_are_typed(tmp_path: Path) -> None:
    """The French page has the same: see above."""
    typed = 0
    for command in commands("README.md"):
        if of(command, (*MAKE, *IN_LAB)):
            continue
        known = of(command, (*TYPED, *LOOKED_AT))
        if known in BEFORE:
            BEFORE[known](tmp_path)
        asked = f"{command} --dry-run" if known in LOOKED_AT else command
        said = type_in(asked, tmp_path, TYPED.get(known, ()))
        assert said.returncode == 0, f"{asked}\n{said.stdout}"
        typed += 1
    assert typed == len(TYPED) + len(LOOKED_AT) + 2  # two organisations, and a contract of each
    (invoice,) = (tmp_path / "invoices").glob("*.pdf")
    assert re.fullmatch(r"F20\d\d-000001\.pdf", invoice.name)
    assert settings.load(tmp_path / "paquet.toml").operator.telephone == ANSWERS[3]


@pytest.mark.parametrize("page", PAGES)
def test_what_make_is_asked_for_has_a_rule(page: str) -> None:
    shown = [*commands(page), *in_sentences(page)]
    asked = {word for one in shown for word in re.findall(r"^make ([a-z-]+)", one)}
    assert asked
    for target in asked:
        look = ["make", "--dry-run", "--no-print-directory", target]
        done = subprocess.run(look, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", PAGES)
def test_what_a_readme_names_or_leaves_to_the_lab_is_understood(page: str) -> None:
    """Read by the program itself, every word of it, without doing it."""
    shown = [*in_sentences(page), *(one for one in commands(page) if of(one, IN_LAB))]
    read = [understood(one) for one in shown if one.startswith("paquet ")]
    assert "artifact fetch" in read
    assert "server prepare" in read


def understood(command: str) -> str:
    """Return the names of the command that `command` calls; click refuses what it does not know."""
    words = shlex.split(command, comments=True)[1:]
    group: click.Command = paquet
    names: list[str] = []
    while isinstance(group, click.Group) and words and not words[0].startswith("-"):
        names.append(words.pop(0))
        found = group.get_command(click.Context(group), names[-1])
        assert found is not None, command
        group = found
    shown_alone = not words and not isinstance(group, click.Group)  # named without its words
    if not shown_alone and words != ["--help"]:
        group.make_context(names[-1], list(words))
    return " ".join(names)
