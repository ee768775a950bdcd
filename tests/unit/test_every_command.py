"""What holds of all commands: those that write are alike, each is told, and a start is cheap."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pytest

from provision import database
from provision.commands.shared.imported import Imported
from provision.commands.shared.sections import BEFORE, COMMANDS, SECTIONS
from provision.commands.shared.words import name_type
from provision.migrations import upgrades
from tests.unit.test_architecture import every_command

TOP = Path(__file__).parents[2]
COMMANDS_FOLDER = TOP / "provision/commands"
EVERY = {
    words: command
    for words, command in every_command().items()
    if not isinstance(command, click.Group)
}
# What only looks. Whatever is not named here writes something somewhere.
READERS = {
    *("server check", "server list", "server variables", "artifact list", "lab status"),
    *("lab shell",),  # what is typed there is the person's own
    *("dns check", "dns diff", "dns show", "order list", "order show"),
    *("job follow", "job list", "job show", "schedule list"),
    *("bundle check", "bundle list", "bundle show", "user list", "phone list", "backup list"),
    *(
        "organisation duties",
        "organisation list",
        "organisation show",
        "plan list",
        "plan show",
        "contract list",
    ),
    *("subscription list", "subscription show", "subscription terms"),
    *("invoice answers", "invoice check", "invoice deposits", "invoice list"),
    *("mandate list", "payment accounts", "payment awaited", "payment list", "payment payouts"),
    *("bank list", "bank show", "dunning due", "dunning list"),
    *("books balance", "books vat", "books verify"),
    *("settlement list", "settlement mandate list", "settlement owed"),
    *("report model", "report show", "subscriber list", "subscriber show"),
    *("fund list", "fund share-cost", "fund show", "hours list", "debt list", "receipt list"),
    *("reciprocity list", "reciprocity statement", "exchange agreements", "exchange currencies"),
    *("post list",),
}
NAMES = {"issuer", "organisation", "plan", "sold_by", "supported_by", "territory"}
HEAVY = (
    *("alembic", "ansible", "ansible_runner", "cryptography", "dns", "fabric", "facturx"),
    *("fontTools", "jinja2", "lxml", "matplotlib", "mt940", "ofxtools", "octodns", "PIL"),
    *("pypdf", "requests", "saxonche", "schwifty", "segno", "sepaxml", "weasyprint"),
)
LIGHT = (
    *("order show 1", "order list", "bundle list", "bundle show x.test", "invoice list"),
    *("subscription list", "organisation list", "receipt list x", "fund list"),
    *("job list", "job show 1", "post list"),
)


def options_of(command: click.Command) -> set[str]:
    return {option for param in command.params for option in param.opts}


def test_every_reader_is_a_command() -> None:
    assert {f"paquet {words}" for words in READERS} <= set(EVERY)


@pytest.mark.parametrize("words", sorted(EVERY))
def test_whatever_writes_shows_first_and_asks(words: str) -> None:
    both = {"--dry-run", "--yes"}
    wanted = set() if words.removeprefix("paquet ") in READERS else both
    assert options_of(EVERY[words]) & both == wanted


@pytest.mark.parametrize("words", sorted(EVERY))
def test_whoever_is_named_by_an_option_has_a_name(words: str) -> None:
    """An empty word would count as no word, and another one would be meant."""
    for param in EVERY[words].params:
        named = isinstance(param, click.Option) and param.name in NAMES and param.default is None
        assert not named or param.type is name_type, param.name


@pytest.mark.parametrize("path", sorted(COMMANDS_FOLDER.rglob("*.py")), ids=lambda path: path.stem)
def test_what_is_typed_has_a_type(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for loose in ("type: ignore", "words[", "ANN401 (click"):
        assert loose not in text or path.name == "imported.py", loose


def test_the_sections_hold_every_command_once() -> None:
    names = [name for section in SECTIONS.values() for name in section]
    assert len(names) == len(set(names))
    assert list(COMMANDS) == names
    assert not set(BEFORE) & set(names)


@pytest.mark.parametrize("words", sorted(every_command()))
def test_what_waits_is_told_in_the_words_of_its_own_help(words: str) -> None:
    group = every_command()[words]
    if not isinstance(group, Imported):
        return
    context = click.Context(group)
    for name, waiting in group.waiting.items():
        command = group.get_command(context, name)
        assert command is not None
        assert waiting.help == (command.help or "").split("\n\n")[0].replace("\n", " "), name


@pytest.mark.parametrize("old", sorted(BEFORE))
def test_an_old_word_is_answered_and_says_the_new_one(old: str) -> None:
    today = BEFORE[old].rpartition(".")[2]
    done = run(old, "--help")
    assert f"{old}` is now `paquet {today}`" in done.stderr
    assert run(today, "--help").stdout.split("\n\n")[1:] == done.stdout.split("\n\n")[1:]
    assert f"\n  {old} " not in run("--help").stdout


def run(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cli", *words]
    return subprocess.run(command, check=False, cwd=TOP, capture_output=True, text=True)


def imported_by(folder: Path, *words: str) -> set[str]:
    """Return the heavy libraries that a call of `paquet` has imported when it ends."""
    (folder / "paquet.toml").write_text(
        '[operator]\nname = "Les Amis"\nzone = "paquet.test"\nlanguage = "fr"\n'
        f'contact = "aide@paquet.test"\n[registry]\nurl = "sqlite:///{folder}/paquet.db"\n',
        encoding="utf-8",
    )
    call = (
        "import sys, atexit\n"
        f"heavy = {HEAVY!r}\n"
        "atexit.register(lambda: print('HEAVY', *(one for one in heavy if one in sys.modules)))\n"
        f"sys.argv = ['paquet', '--config', '{folder}/paquet.toml', *{words!r}]\n"
        "import cli\n"
        "cli.main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", call], check=False, cwd=TOP, capture_output=True, text=True
    )
    assert "bug" not in done.stderr, done.stderr
    return set(done.stdout.split("HEAVY")[1].split())


def test_help_imports_nothing_but_click(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "cli", "--help"],
        check=True,
        cwd=TOP,
        capture_output=True,
        text=True,
    )
    assert not {"sqlalchemy", "rich", "pydantic"} & {
        line.split("|")[-1].strip() for line in done.stderr.splitlines()
    }
    assert imported_by(tmp_path, "--version") == set()


@pytest.mark.parametrize("words", LIGHT)
def test_no_heavy_library_comes_back_into_the_start_of_what_only_looks(
    tmp_path: Path, words: str
) -> None:
    engine = database.connect(f"sqlite:///{tmp_path}/paquet.db")
    upgrades.upgrade(engine)
    engine.dispose()
    assert imported_by(tmp_path, *words.split()) == set()
