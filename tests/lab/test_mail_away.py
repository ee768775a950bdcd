"""When PostgreSQL is away no mail program is told that its secret is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.lab import away
from tests.lab.mail_clients import Device

if TYPE_CHECKING:
    from tests.lab.mail_clients import Bundle

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("mail_names")]


def test_mail_doors_say_later_while_postgresql_is_away_and_serve_when_it_is_back(
    bundle: Bundle,
) -> None:
    user = Device("", bundle.address, bundle.secret)
    doors = away.mail_doors(bundle, user)
    del doors["587"]  # as 465, and each answer takes its time; the long part `away` asks it too
    assert {ask() for ask in doors.values()} == {away.GOOD}
    counted = away.counted_attacks(bundle)

    with away.away(bundle):
        said = away.said_by(doors)
    back = away.until_back(doors)

    wrong = {
        name: said[name]
        for name, hint in away.MAIL_DOORS_SAY.items()
        if name in said and hint not in said[name]
    }
    assert wrong == {}
    assert {name for name in doors if back.get(name, 99) > away.BACK_WITHIN} == set(), back
    assert away.counted_attacks(bundle) == counted
