from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from provision.commands.payments.mandate import mandate
from provision.commands.payments.payment import payment
from provision.commands.sales.organisation import organisation
from provision.commands.sales.subscription import subscription
from provision.subscriptions.selling import billing
from tests.integration.subscriptions.commanding import ask, own_profile, read, selling

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from provision.commands.shared.context import Context

SHOP, TODAY = "Boutique Libre", date(2026, 3, 10)


@pytest.fixture
def context(tmp_path: Path) -> Context:
    """Jeanne owes an invoice, and gave no mandate."""
    made = selling(tmp_path)
    described = own_profile(tmp_path, creditor_identifier="FR72ZZZ123456")
    ask(made, organisation, "describe", SHOP, described, "--from", "2026-02-01", "--yes")
    billing.bill(made.engine, TODAY)
    return made


def jeanne(context: Context) -> dict[str, Any]:
    """Return the one account that is open."""
    (account,) = read(context, payment, "accounts", SHOP)
    return dict(account)


def test_who_pays_by_transfer_is_reminded(context: Context) -> None:
    account = jeanne(context)
    assert (account["customer"], account["balance"]["units"]) == ("jeanne@exemple.test", 1000)
    assert account["next"] == "paquet dunning run 'Boutique Libre' --to FOLDER"


def test_who_signed_a_mandate_is_debited_until_it_ends(context: Context) -> None:
    reference = read(context, mandate, "add", SHOP, "jeanne@exemple.test", "--yes")["reference"]
    assert "dunning run" in jeanne(context)["next"]
    signed = ("--on", "2026-03-01", "--iban", "FR7630006000011234567890189")
    ask(context, mandate, "sign", SHOP, reference, *signed, "--yes")
    assert jeanne(context)["next"] == f"paquet payment collect {SHOP!r} --on DAY --to FOLDER"
    ask(context, mandate, "revoke", SHOP, reference, "--why", "on her wish", "--yes")
    assert "dunning run" in jeanne(context)["next"]


def test_what_was_credited_is_paid_back(context: Context) -> None:
    ask(context, payment, "record", SHOP, "F2026-000001", "10,00", "--slip", "R-1", "--yes")
    assert read(context, payment, "accounts", SHOP) == []
    words = (SHOP, "F2026-000001", "--reason", "geste", "--yes")
    ask(context, subscription, "credit", *words)
    account = jeanne(context)
    assert account["balance"]["units"] == -1000
    assert account["next"] == "paquet payment refund 'Boutique Libre' MOVEMENT A2026-000001"
