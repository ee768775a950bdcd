"""A shop that begins with the clients that it has: their list, from another program."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from provision.subscriptions.documents import describing
from provision.subscriptions.parties import organisations
from tests.integration.subscriptions.commanding import SOLD, selling
from tests.integration.subscriptions.conftest import profile
from tests.integration.subscriptions.paying_shop import CREDITOR, OURS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from provision.commands.shared.context import Context

SHOP = "Boutique Libre"
HEAD = (
    *("Nom", "Courriel", "Type", "SIREN", "Adresse", "Code postal", "Ville", "IBAN", "RUM"),
    *("Signé le", "Dernier prélèvement", "Formule", "Payé jusqu'au", "Accompagné par"),
)
NAME, EMAIL, KIND, SIREN, STREET, POSTCODE, CITY, ACCOUNT, RUM, SIGNED, LAST, PLAN, PAID = range(13)


def iban(number: int) -> str:
    """Return a French account that is right: its key, and that of its RIB (ISO 13616)."""
    bank, branch, account = 30006, 1, number
    key = 97 - (89 * bank + 15 * branch + 3 * account) % 97
    bban = f"{bank:05d}{branch:05d}{account:011d}{key:02d}"
    return f"FR{98 - int(f'{bban}152700') % 97:02d}{bban}"


def client(number: int) -> list[str]:
    """Return the line of a client; each third has no e-mail address."""
    return [
        f"Client {number}",
        f"client{number}@exemple.test" if number % 3 else "",
        "",
        "",
        f"{number} rue du Port",
        "14000",
        "Caen",
        iban(number),
        f"ANCIEN-{number:04d}",
        "01/02/2024",
        "2026-02-05",
        "famille",
        "2026-03-31",
        SOLD[5],
    ]


def written(rows: Sequence[Sequence[str]]) -> bytes:
    return "\r\n".join(";".join(row) for row in (HEAD, *rows)).encode("cp1252")


def collecting_shop(folder: Path) -> Context:
    """Return what commands work with: a shop that may collect, and Jeanne, its one subscriber."""
    made = selling(folder)
    with made.session() as session:
        words = {"iban": OURS, "creditor_identifier": CREDITOR}
        owner = organisations.get(session, SHOP)
        describing.describe(session, owner, profile(SHOP, **words), date(2026, 1, 2))
    return made
