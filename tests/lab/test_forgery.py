"""Nobody sends mail in another's name; the long part `forgery` knows more ways."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.lab import forgeries

if TYPE_CHECKING:
    from tests.lab.mail_clients import Bundle

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("mail_names", "swaks")]

CORE = (
    "From with an own name",
    "name of From",
    "Sender",
    "Resent-From",
    "filter: notify",
    "filter: answer",
    "filter: answer, second From",
    "filter: answer as a forward",
    "program: Dovecot's socket",
    "program: the filters' socket",
)


def test_no_way_to_send_in_another_persons_name_works(bundle: Bundle) -> None:
    outcomes = forgeries.attempt(bundle, bundle.address, CORE)

    assert {name: said for name, said in outcomes.items() if said == "forged"} == {}
