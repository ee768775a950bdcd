from __future__ import annotations

import hashlib
import random
import string
from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr

from provision.errors import PaquetError
from provision.phones.devices import (
    ALPHABET,
    ENTROPY_BITS,
    Support,
    make_secret,
    secret_digest,
    secret_groups,
)
from tests.unit.phones.phone_examples import NEXTCLOUD, PLAIN_SECRET


def test_a_secret_has_more_chance_than_128_bits_and_no_look_alikes() -> None:
    assert ENTROPY_BITS >= 128
    assert len(set(ALPHABET)) == len(ALPHABET)
    assert set(ALPHABET) <= set(string.ascii_letters + string.digits)
    assert not set(ALPHABET) & set("0Oo1lIi")


def test_a_secret_is_28_letters_each_from_the_whole_alphabet() -> None:
    secrets = [make_secret().get_secret_value() for _ in range(200)]
    assert {len(secret) for secret in secrets} == {28}
    assert set("".join(secrets)) == set(ALPHABET)
    assert len(set(secrets)) == 200


def test_a_secret_comes_from_the_chooser_that_is_given() -> None:
    assert make_secret(random.Random(1)) == make_secret(random.Random(1))  # noqa: S311
    assert make_secret(random.Random(1)) != make_secret(random.Random(2))  # noqa: S311


def test_the_digest_is_what_the_mail_server_compares() -> None:
    expected = hashlib.sha256(PLAIN_SECRET.encode()).hexdigest()
    assert secret_digest(SecretStr(PLAIN_SECRET)) == expected


def test_the_groups_of_four_are_the_secret() -> None:
    groups = secret_groups(SecretStr(PLAIN_SECRET + "xy"))
    assert groups == ["abcd", "2345", "efgh", "6789", "jkmn", "2345", "pqrs", "xy"]


def test_a_device_shows_its_secret_to_nobody_who_prints_it() -> None:
    assert PLAIN_SECRET not in repr(NEXTCLOUD)
    assert PLAIN_SECRET not in str(NEXTCLOUD)


@pytest.mark.parametrize(
    "wrong",
    [
        {"address": "ali:ce@exemple.test"},
        {"address": "zoé@exemple.test"},
        {"address": "alice@éxemple.test"},
        {"address": '"a b"@exemple.test'},
        {"address": "alice@exemple.test\n"},
        {"address": "alice"},
        {"cloud_host": "cloud.exemple.test/x"},
        {"cloud_host": "user@cloud.exemple.test"},
        {"cloud_host": "cloud.exemple.test:443"},
        {"mail_host": "bücher.test"},
        {"mail_host": "a b.test"},
        {"dav_path": "/dav"},
        {"dav_path": "/d'av/"},
        {"files_url": "http://cloud.exemple.test/"},
        {"files_url": 'https://cloud.exemple.test/"onload="'},
        {"secret": SecretStr("short1")},
        {"secret": SecretStr("colon:colon:colon:colon:colon")},
        {"secret": SecretStr("é" * 30)},
        {"display_name": "two\nlines"},
        {"display_name": "nul\x00"},
        {"display_name": "\ud800"},
        {"device_name": "\u2028"},
        {"operator_name": "\ufffe"},
        {"support": Support("Amis", "", "x" * 121)},
    ],
)
def test_what_a_format_could_not_carry_is_refused_with_a_hint(wrong: dict[str, Any]) -> None:
    with pytest.raises(PaquetError) as refused:
        replace(NEXTCLOUD, **wrong)
    assert refused.value.hint


@pytest.mark.parametrize("secret", ["colon:colon:colon:colon:colon", "tooshort"])
def test_a_refused_secret_is_not_repeated(secret: str) -> None:
    with pytest.raises(PaquetError) as refused:
        replace(NEXTCLOUD, secret=SecretStr(secret))
    assert secret not in refused.value.message + refused.value.hint
