from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import dns.rcode
import dns.tsig
import pytest
from pydantic import SecretStr

from provision.dns import lookup
from provision.dns.changes import ChangeSet, Update
from provision.dns.lookup import NameServer
from provision.dns.providers.choice import provider
from provision.dns.providers.knot import Key, Knot, explained, raise_if_refused, update_message
from provision.dns.providers.printed import Printed, RecordsToEnter
from provision.dns.records import Record
from provision.errors import PaquetError
from provision.settings import Names

if TYPE_CHECKING:
    from pathlib import Path

OLD = Record("a.paquet.test.", "A", 60, ("203.0.113.1",))
NEW = Record("a.paquet.test.", "A", 60, ("203.0.113.2",))
MAIL = Record("b.paquet.test.", "MX", 60, ("10 mx.paquet.test.",))
GONE = Record("c.paquet.test.", "TXT", 60, ('"x"',))
CHANGES = ChangeSet((MAIL,), (Update(OLD, NEW),), (GONE,), 2)
SECRET = base64.b64encode(b"secret").decode()


NOBODY = NameServer("127.0.0.1", 1)


@pytest.fixture
def _no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookup, "SECONDS", 0.1)


@pytest.mark.usefixtures("_no_patience")
def test_records_to_print_are_told_with_the_table_to_copy() -> None:
    with pytest.raises(RecordsToEnter, match="entered by hand") as told:
        Printed(NOBODY).apply("paquet.test", CHANGES)
    assert [(row.host, row.type) for row in told.value.rows] == [("b", "MX"), ("a", "A")]
    assert "mx.paquet.test." in told.value.message


def test_nothing_to_print_is_no_error() -> None:
    assert Printed().fetch("paquet.test") == []
    Printed().apply("paquet.test", ChangeSet((), (), (), 0))


def test_an_update_asks_that_nothing_changed_since_it_was_planned() -> None:
    message = update_message("paquet.test.", CHANGES).to_text().splitlines()
    prerequisites = message[message.index(";PREREQ") + 1 : message.index(";UPDATE")]
    assert sorted(prerequisites) == [
        "a.paquet.test. 0 IN A 203.0.113.1",
        "b.paquet.test. NONE MX",
        'c.paquet.test. 0 IN TXT "x"',
    ]


def test_an_update_deletes_before_it_adds() -> None:
    message = update_message("paquet.test.", CHANGES).to_text().splitlines()
    steps = message[message.index(";UPDATE") + 1 :]
    assert steps[0].startswith("c.paquet.test. ANY TXT")
    assert "b.paquet.test. 60 IN MX 10 mx" in steps[-2] + steps[-1]


@pytest.mark.parametrize(
    ("failure", "sentence"),
    [
        (dns.tsig.PeerBadKey, "does not accept the key"),
        (dns.tsig.PeerBadSignature, "another secret"),
        (dns.tsig.PeerBadTime, "clocks"),
        (ConnectionRefusedError("refused"), "does not answer: refused"),
        (EOFError, "does not answer: it closed the connection"),
    ],
)
def test_each_failure_is_one_sentence_with_a_hint(
    failure: Exception | type[Exception], sentence: str
) -> None:
    with (
        pytest.raises(PaquetError, match=sentence) as told,
        explained("ns port 53", "paquet.test", "k"),
    ):
        raise failure
    assert told.value.hint


@pytest.mark.parametrize("code", ["YXRRSET", "NXRRSET", "REFUSED", "NOTAUTH", "SERVFAIL"])
def test_every_refusal_of_an_update_is_an_error_with_a_hint(code: str) -> None:
    with pytest.raises(PaquetError) as told:
        raise_if_refused("ns", "paquet.test", dns.rcode.from_text(code))
    assert told.value.hint


def test_the_settings_choose_the_provider(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(SECRET + "\n")
    assert provider(Names(), NOBODY) == Printed(NOBODY)
    chosen = provider(
        Names(provider="knot", server="127.0.0.1", port=5300, key_name="paquet", key_file=file)
    )
    assert chosen == Knot("127.0.0.1", 5300, Key("paquet", "hmac-sha256", SecretStr(SECRET)))


def test_knot_without_a_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PaquetError, match="needs server, key_name and key_file"):
        provider(Names(provider="knot", server="127.0.0.1"))
    with pytest.raises(PaquetError, match="cannot be read"):
        Key.read("paquet", "hmac-sha256", tmp_path / "absent")


@pytest.mark.parametrize(
    ("algorithm", "secret", "sentence"),
    [("hmac-md5", SECRET, "no algorithm"), ("hmac-sha256", "not base64!", "not base64")],
)
def test_a_key_that_cannot_sign_is_refused(algorithm: str, secret: str, sentence: str) -> None:
    with pytest.raises(PaquetError, match=sentence):
        Key("paquet", algorithm, SecretStr(secret)).signing()


def test_a_secret_is_not_shown() -> None:
    assert SECRET not in repr(Key("paquet", "hmac-sha256", SecretStr(SECRET)))
