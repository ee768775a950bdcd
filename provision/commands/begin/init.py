"""`paquet init`: the few questions that matter, then a commented settings file."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import click

from provision import rendering, settings, shipped
from provision.commands.begin import units
from provision.commands.shared.asking import Question, answer_all
from provision.commands.shared.changing import agreed, change_options
from provision.commands.shared.context import pass_context
from provision.commands.shared.words import language_type, typed
from provision.errors import UsageRefused
from provision.registry import secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from provision.commands.shared.changing import How
    from provision.commands.shared.context import Context


# What an example of a contract is called, by who sells; and who stands in it until it is yours.
SELLERS = {"alone": "contract-alone.example.toml", "together": "contract.example.toml"}
TOGETHER_LATER = "contract-together.toml"
STANDS_IN = '"Les Amis du Libre"'
DESCRIBED = '"Boutique Libre" boutique.toml'
COMMENTS_AT = 45  # the column at which comments stand
# What an association's papers say otherwise than those of the business in the example.
ASSOCIATION = {
    "legal": "Association loi 1901, RNA W000000000, SIREN 000 000 000",
    "website": "",
    "vat": "franchise",
    "vat_id": "",
}
QUESTIONS = {
    "operator": Question(
        "Who operates this (a name that subscribers will read)",
        "--operator",
        partial(settings.mistake, settings.Operator, "name"),
    ),
    "zone": Question(
        "Under which domain do bundles get their names",
        "--zone",
        partial(settings.mistake, settings.Operator, "zone"),
    ),
    "contact": Question(
        "Which e-mail address helps the subscribers",
        "--contact",
        partial(settings.mistake, settings.Operator, "contact"),
    ),
    "telephone": Question(
        "Which telephone number, when a phone is lost and its mail with it (empty: none)",
        "--telephone",
        partial(settings.mistake, settings.Operator, "telephone"),
        default="",
    ),
    "language": Question(
        "Which language is yours (fr or en)",
        "--language",
        partial(settings.mistake, settings.Operator, "language"),
        default="fr",
    ),
    "sellers": Question(
        "Does one organisation host and sell alone, or do two work together (alone or together)",
        "--sellers",
        lambda typed: "" if typed in SELLERS else "it is alone or together",
        default="alone",
    ),
    "registry": Question(
        "Where is the registry (sqlite:///file or postgresql://…)",
        "--registry",
        partial(settings.mistake, settings.Registry, "url"),
        default="sqlite:///paquet.db",
    ),
}


# What a file holds, and how it is made.
Made: TypeAlias = "tuple[str, Callable[[], object]]"


@dataclass(frozen=True)
class Answers:
    """What options answered, None where nobody did."""

    operator: str | None
    zone: str | None
    contact: str | None
    telephone: str | None
    language: str | None
    sellers: str | None
    registry: str | None
    worker: bool = False


@click.command()
@click.option("--operator", help="Who operates this: a name that subscribers will read.")
@click.option("--zone", help="The domain under which bundles get their names.")
@click.option("--contact", help="The e-mail address that helps the subscribers.")
@click.option("--telephone", help="The number that helps who has lost a phone, and its mail.")
@click.option("--language", type=language_type, help="Which language is yours.")
@click.option("--sellers", type=click.Choice(list(SELLERS)), help="Whether one sells alone.")
@click.option("--registry", help="Where the registry is: sqlite:///file or postgresql://….")
@click.option("--worker", is_flag=True, help="Only the units of systemd for settings of before.")
@typed(Answers, "given")
@change_options
@pass_context
def init(context: Context, given: Answers, how: How) -> None:
    """Write paquet.toml, paquet.key and inventory.yml for a new control machine.

    Beside them examples to make your own: of contracts for who sells alone, or for two who work
    together, of plans, of what an organisation's papers say: an association's, if it is alone, else
    a business's. What no option answers is asked.

    With --worker: the units of systemd by which this machine works while nobody types (a worker;
    or a timer for what comes by itself), see docs/fleet.md.
    """
    path = context.config
    if given.worker:
        units.write(context, how)
        return
    if path.exists():
        raise UsageRefused(f"{path} exists already", "Edit it, or give another --config.")
    answers = answer_all(QUESTIONS, vars(given))
    text = rendering.render("paquet.toml.j2", {**answers, "quoted": _quoted})
    files = _files(path, text) | _examples(path.parent, answers)
    there = {file for file in files if file.exists()}
    planned = [
        {
            "file": str(_shown(file)),
            "holds": what,
            "now": "stays as it is" if file in there else "is made",
        }
        for file, (what, _make) in files.items()
    ]
    if not agreed(context, planned, how, "Write them?"):
        return
    for file, (_what, make) in files.items():
        if file not in there:
            make()
    context.show(planned, as_json=how.as_json)
    if not how.as_json:
        click.echo("Keep a copy of the key file in a safe place: without it no backup opens.")


def _files(path: Path, text: str) -> dict[Path, Made]:
    """Return what is made of the settings in `text`, and what they name.

    Raises PaquetError when the settings in `text` are wrong.
    """
    checked = settings.parse(settings.read_words(text, path), path)

    def write() -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def example() -> None:
        shutil.copyfile(shipped.share("inventory.example"), checked.inventory)

    return {
        path: ("the settings", write),
        checked.key_file: ("the key", partial(secrets.make_key_file, checked.key_file)),
        checked.inventory: ("an example", example),
    }


def _examples(folder: Path, answers: Mapping[str, str]) -> dict[Path, Made]:
    """Return the examples beside the settings; in them the operator has its place."""
    contracts = {kind: _example(name) for kind, name in SELLERS.items()}
    texts = {
        "contract.toml": contracts[answers["sellers"]],
        "plans.toml": _example("plans.example.toml"),
        "organisation.toml": _example("organisation.example.toml"),
    }
    if answers["sellers"] == "alone":
        texts["organisation.toml"] = _alone(texts["organisation.toml"], answers)
        texts[TOGETHER_LATER] = contracts["together"]
    operator = _quoted(answers["operator"])
    return {
        folder / name: (
            "an example",
            partial((folder / name).write_text, text.replace(STANDS_IN, operator), "utf-8"),
        )
        for name, text in texts.items()
    }


def _alone(organisation: str, answers: Mapping[str, str]) -> str:
    """Return the example of an organisation as that of the operator, an association alone."""
    own = ASSOCIATION | {
        "name": answers["operator"],
        "email": answers["contact"],
        "phone": answers["telephone"],
    }

    def rewritten(line: re.Match[str]) -> str:
        key, comment = line.groups()
        return (f"{key} = {_quoted(own[key])} ".ljust(COMMENTS_AT) + comment).rstrip()

    line = rf'^({"|".join(own)}) = "[^"]*" *(.*)$'
    text = re.sub(line, rewritten, organisation, flags=re.MULTILINE)
    return text.replace(DESCRIBED, f"{_quoted(own['name'])} organisation.toml")


def _example(name: str) -> str:
    return (shipped.share("templates") / name).read_text("utf-8")


def _shown(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _quoted(words: str) -> str:
    """Return `words` as a TOML basic string."""
    escapes = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return '"' + "".join(escapes.get(letter, letter) for letter in words) + '"'
