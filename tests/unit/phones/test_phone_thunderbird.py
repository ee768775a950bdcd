from __future__ import annotations

import json
from typing import TYPE_CHECKING, TypeVar

from hypothesis import given, settings

from provision.phones.thunderbird import thunderbird_code
from tests.unit.phones.phone_examples import NEXTCLOUD, PLAIN_SECRET, syncs

if TYPE_CHECKING:
    from provision.phones.devices import Sync

Word = TypeVar("Word", int, str)


def take(value: object, kind: type[Word]) -> Word:
    """Moshi's nextString() and nextInt(): another type, or null, ends the whole code."""
    if not isinstance(value, kind):
        raise TypeError(value)
    return value


def read_server(server: list[object], *, incoming: bool) -> dict[str, object]:
    """Read one server array as QrCodePayloadAdapter.kt does, with what Android supports."""
    protocol, host, port, security, authentication, login, *rest = server
    assert take(protocol, int) == 0
    assert take(host, str).isascii()
    assert 1 <= take(port, int) <= 65535
    assert take(security, int) in {0, 2, 3}
    assert take(authentication, int) in {0, 1, 2, 5, 6}
    optional = [take(word, str) for word in rest]
    account_name = optional.pop(0) if incoming and optional else ""
    assert len(optional) <= 1
    return {
        "server": (host, port, security, authentication),
        "login": take(login, str),
        "account": account_name,
        "password": optional[0] if optional else "",
    }


def read_code(text: str) -> dict[str, object]:
    version, sequence, incoming, groups, *more = json.loads(text)
    assert version == 1
    assert sequence == [1, 1]
    assert not more
    ((outgoing, (email, name)),) = groups
    assert take(email, str).isascii()
    return {
        "incoming": read_server(incoming, incoming=True),
        "outgoing": read_server(outgoing, incoming=False),
        "identity": (email, take(name, str)),
    }


def test_the_code_is_exactly_the_documented_array() -> None:
    assert json.loads(thunderbird_code(NEXTCLOUD)) == [
        1,
        [1, 1],
        [0, "bundles1.paquet.test", 993, 3, 1, "alice@exemple.test", "", PLAIN_SECRET],
        [
            [
                [0, "bundles1.paquet.test", 465, 3, 1, "alice@exemple.test", PLAIN_SECRET],
                ["alice@exemple.test", "Alice Martin"],
            ]
        ],
    ]


def test_nothing_is_null_because_the_reader_refuses_the_whole_code() -> None:
    assert "null" not in thunderbird_code(NEXTCLOUD)
    assert ',"",' in thunderbird_code(NEXTCLOUD)


def test_one_account_is_one_code_with_one_outgoing_server() -> None:
    code = json.loads(thunderbird_code(NEXTCLOUD))
    assert len(code) == 4
    assert len(code[3]) == 1


@settings(deadline=None)
@given(syncs())
def test_thunderbird_reads_back_what_was_written(sync: Sync) -> None:
    code = thunderbird_code(sync)
    assert code.isascii()
    secret = sync.secret.get_secret_value()
    read = read_code(code)
    assert read["identity"] == (sync.address, sync.display_name)
    assert read["incoming"] == {
        "server": (sync.mail_host, 993, 3, 1),
        "login": sync.address,
        "account": "",
        "password": secret,
    }
    assert read["outgoing"] == {
        "server": (sync.mail_host, 465, 3, 1),
        "login": sync.address,
        "account": "",
        "password": secret,
    }
