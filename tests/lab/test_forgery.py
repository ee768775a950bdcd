"""Nobody sends mail in another's name; the long part `forgery` knows more ways."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from tests.lab import forgeries
from tests.lab import mail_clients as mail

if TYPE_CHECKING:
    from tests.lab.mail_clients import Bundle

pytestmark = pytest.mark.lab

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


@pytest.fixture(autouse=True)
def _names(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", mail.tell_names(bundle, socket.getaddrinfo))


@pytest.fixture(scope="module", autouse=True)
def _swaks(bundle: Bundle) -> None:
    mail.install_swaks(bundle.internet)


def test_no_way_to_send_in_another_persons_name_works(bundle: Bundle) -> None:
    outcomes = forgeries.attempt(bundle, bundle.address, CORE)

    assert {name: said for name, said in outcomes.items() if said == "forged"} == {}
