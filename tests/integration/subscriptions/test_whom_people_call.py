"""Whom the sheets of phones name: by the profiles of the day, the settings, and the order."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from provision.phones.devices import Support, make_secret
from provision.registry import orders, secrets
from provision.registry.models import Device
from provision.subscriptions.documents import describing
from provision.subscriptions.parties import organisations
from provision.workflows import devices, kits, ordering, supporting
from tests.integration.subscriptions.commanding import selling
from tests.integration.subscriptions.conftest import profile
from tests.integration.subscriptions.test_who_a_customer_is import INVENTORY, placed

if TYPE_CHECKING:
    from pathlib import Path

    from provision.commands.shared.context import Context
    from provision.registry.models import Bundle

TODAY = date(2026, 3, 10)
SELLER, SUPPORTER = "Boutique Libre", "Les Amis du Libre"
OPERATOR = "02 31 00 00 01"


@pytest.fixture
def context(tmp_path: Path) -> Context:
    """A shop whose profiles have no telephone number, and the order of a bundle."""
    made = selling(tmp_path)
    made.settings.inventory.write_text(INVENTORY, "utf-8")
    secrets.make_key_file(made.settings.key_file)
    return made


def with_operators_number(context: Context) -> Context:
    settings = context.config.read_text("utf-8")
    context.config.write_text(
        settings.replace("[registry]", f'telephone = "{OPERATOR}"\n[registry]'), "utf-8"
    )
    return type(context)(context.config)


def ordered(context: Context) -> Bundle:
    control = context.control()
    wish = ordering.check(control, ordering.Words(**placed("paul.paquet.test")))
    number = ordering.place(control, wish)
    with context.reading() as session:
        return orders.load_bundle(orders.get(session, number).bundle)


def describe(context: Context, name: str, phone: str, first_day: date = date(2026, 2, 1)) -> None:
    with context.session() as session:
        one = organisations.get(session, name)
        describing.describe(session, one, profile(name, phone=phone), first_day)


def called(context: Context) -> Support:
    return supporting.support(context.control(), ordered(context))


def test_the_association_that_supports_is_called_first(context: Context) -> None:
    describe(context, SELLER, "02 31 00 00 03")
    describe(context, SUPPORTER, "02 31 00 00 02")
    expected = Support(SUPPORTER, "02 31 00 00 02", "bonjour@exemple.test", SELLER, SUPPORTER)
    assert called(with_operators_number(context)) == expected


def test_the_operator_is_called_when_the_association_has_no_number(context: Context) -> None:
    describe(context, SELLER, "02 31 00 00 03")
    expected = Support("Les Amis", OPERATOR, "aide@paquet.test", SELLER, SUPPORTER)
    assert called(with_operators_number(context)) == expected


def test_the_business_is_called_when_nobody_else_has_a_number(context: Context) -> None:
    describe(context, SELLER, "02 31 00 00 03")
    assert (called(context).name, called(context).telephone) == (SELLER, "02 31 00 00 03")


def test_without_any_number_the_association_is_written_to(context: Context) -> None:
    expected = Support(SUPPORTER, "", "bonjour@exemple.test", SELLER, SUPPORTER)
    assert called(context) == expected


def test_a_number_of_tomorrow_is_not_called_today(context: Context) -> None:
    describe(context, SUPPORTER, "02 31 00 00 02", date(2026, 3, 11))
    assert called(with_operators_number(context)).telephone == OPERATOR


def test_the_sheet_of_a_device_carries_it(context: Context) -> None:
    describe(context, SUPPORTER, "02 31 00 00 02")
    bundle = ordered(context)
    secret = make_secret()
    device = Device(id="1", user=bundle.users[0], name="Téléphone", kind="android")
    described = kits.describe(context.control(), devices.Enrolled(device, secret, None))
    assert described.support == called(context)
