"""Commands as people type them, on a registry of their own: settings, a call, what it says."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from click.testing import CliRunner

from provision.commands.sales.subscription import subscription
from provision.commands.shared.context import Context
from provision.shipped import share
from tests.integration.subscriptions.conftest import PLANS, Trade, founded

if TYPE_CHECKING:
    from pathlib import Path

    import click
    from click.testing import Result
    from sqlalchemy.orm import Session

SETTINGS = """
[operator]
name = "Les Amis"
zone = "paquet.test"
language = "fr"
contact = "aide@paquet.test"
[registry]
url = "sqlite:///{registry}"
"""


OWN = {
    "legal": "SARL au capital de 5 000 €, RCS Caen 552 100 554",
    "email": "bonjour@boutique.test",
    "phone": "02 31 44 55 66",
    "website": "https://boutique.test",
    "vat_id": "FR96552100554",
    "iban": "FR1420041010050500013M02606",
    "bic": "AGRIFRPP831",
}
SOLD = ("--plan", "famille", "--sold-by", "Boutique Libre", "--supported-by", "Les Amis du Libre")
PORT = ("--street", "1 rue du Port", "--postcode", "14 000", "--city", "Caen")
FIRM = ("--kind", "company", "--siren", "552 100 554", "--vat-id", "fr 96 552 100 554", *PORT)


def settled(folder: Path, registry: str = "paquet.db", **files: str) -> Context:
    """Return what commands work with, once `folder` has settings that name these files."""
    named = "".join(f'{name} = "{file}"\n' for name, file in files.items())
    config = folder / "paquet.toml"
    config.write_text(named + SETTINGS.format(registry=folder / registry), encoding="utf-8")
    return Context(config)


def own_profile(folder: Path, file: str = "mine.toml", **changes: str) -> str:
    """Write the example of a profile with words of one's own; return the path of the file."""
    text = (share("templates") / "organisation.example.toml").read_text("utf-8")
    for key, word in {**OWN, **changes}.items():
        text = re.sub(rf'^{key} = "[^"]*"', f'{key} = "{word}"', text, flags=re.MULTILINE)
    (folder / file).write_text(text, "utf-8")
    return str(folder / file)


def ask(context: Context, group: click.Command, *words: str) -> Result:
    """Run a command; what it raises is raised here."""
    answer = CliRunner().invoke(group, words, obj=context, standalone_mode=False)
    if answer.exception is not None and not isinstance(answer.exception, SystemExit):
        raise answer.exception
    return answer


def read(context: Context, group: click.Group, *words: str) -> Any:  # noqa: ANN401 (JSON is anything)
    """Return what a command says in JSON."""
    return json.loads(ask(context, group, *words, "--json").stdout)


def founders(session: Session, seller: str = "732 829 320", supporter: str = "") -> Trade:
    """Write down a business and an association with these SIREN, and what their papers say."""
    return Trade(
        session,
        founded(session, SOLD[3], "business", siren_typed=seller),
        founded(session, SOLD[5], "association", siren_typed=supporter),
    )


def selling(folder: Path) -> Context:
    """A business that sells one plan with an association, and Jeanne, who has subscribed."""
    made = settled(folder, inventory=str(folder / "inventory.yml"))
    with made.session() as session:
        trade = founders(session)
        trade.bring(PLANS)
        trade.contract()
    opened(made, "jeanne")
    return made


def opened(context: Context, who: str, *words: str) -> Any:  # noqa: ANN401 (JSON is anything)
    """Open a subscription for somebody new."""
    named = (f"{who}@exemple.test", "--name", who.capitalize())
    return read(context, subscription, "open", *named, *SOLD, *words, "--yes")


def identify(context: Context, *words: str) -> dict[str, Any]:
    """Say who Jeanne is, and return what is known then."""
    found = read(context, subscription, "identify", "jeanne@exemple.test", *words, "--yes")
    return dict(found)
