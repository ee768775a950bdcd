from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import dns.message
import dns.rcode
import dns.rrset

from provision.dns import lookup
from provision.dns.lookup import NameServer, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME, ADDRESS = "jeanne.exemple.test.", "198.18.0.7"


@contextmanager
def name_server(troubles: int) -> Iterator[NameServer]:
    """A name server that is in trouble for its first answers."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        door.bind(("127.0.0.1", 0))

        def answer() -> None:
            for number in range(troubles + 1):
                asked, whom = door.recvfrom(512)
                answered = dns.message.make_response(dns.message.from_wire(asked))
                if number < troubles:
                    answered.set_rcode(dns.rcode.SERVFAIL)
                else:
                    answered.answer.append(dns.rrset.from_text(NAME, 60, "IN", "A", ADDRESS))
                door.sendto(answered.to_wire(), whom)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield NameServer(*door.getsockname())


def test_a_name_server_in_trouble_for_a_moment_is_asked_again() -> None:
    with name_server(troubles=1) as server:
        answer = lookup.ask(NAME, "A", server)
    assert (answer.outcome, answer.values) == (Outcome.FOUND, (ADDRESS,))


def test_one_in_trouble_for_long_has_not_answered() -> None:
    with name_server(troubles=1000) as server:
        answer = lookup.ask(NAME, "A", server)
    assert answer.outcome is Outcome.FAILED
    assert "SERVFAIL" in answer.reason
