from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import unquote, unquote_plus, urlsplit

import pytest
from hypothesis import given, settings

from provision.errors import PaquetError
from provision.phones.links import davx5_link, nextcloud_link, subscription_link
from tests.unit.phones.phone_examples import LIGHT, NEXTCLOUD, PLAIN_SECRET, syncs

if TYPE_CHECKING:
    from provision.phones.devices import Sync


def read_as_davx5(link: str) -> tuple[str, str, str | None]:
    """Return base URL, user and password as LoginActivity.kt takes them.

    android.net.Uri decodes the user information, then DAVx5 splits it at ':' and takes the first
    two parts; davx5 becomes https.
    """
    parts = urlsplit(link)
    assert parts.scheme == "davx5"
    user_information, _, host = parts.netloc.rpartition("@")
    words = unquote(user_information).split(":")
    return f"https://{host}{parts.path}", words[0], words[1] if len(words) > 1 else None


def read_as_nextcloud(link: str) -> dict[str, str]:
    """Return the fields as AuthenticatorActivity.parseLoginDataUrl takes them."""
    assert link.startswith("nc://login/")
    fields = link.removeprefix("nc://login/").split("&")
    if not 1 <= len(fields) <= 3:
        raise ValueError(fields)
    read = {}
    for field in fields:
        name, colon, value = field.partition(":")
        if not colon or name not in {"user", "password", "server"}:
            raise ValueError(field)
        # java.net.URLDecoder throws on a '%' that is not followed by two digits.
        assert not re.search(r"%(?![0-9A-Fa-f]{2})", value)
        read[name] = unquote_plus(value, errors="strict")
    return read


def test_davx5_gets_the_at_sign_of_the_user_escaped() -> None:
    assert davx5_link(NEXTCLOUD) == (
        f"davx5://alice%40exemple.test:{PLAIN_SECRET}@cloud.exemple.test/remote.php/dav/"
    )


def test_davx5_can_be_linked_without_the_password_as_its_manual_advises() -> None:
    link = davx5_link(LIGHT, with_password=False)
    assert link == "davx5://zoe%40zoe.paquet.test@zoe.paquet.test/dav/"
    assert read_as_davx5(link) == ("https://zoe.paquet.test/dav/", "zoe@zoe.paquet.test", None)


def test_a_colon_would_cut_the_user_in_davx5_even_escaped() -> None:
    """The trap itself: why `Sync` lets no ':' through."""
    assert read_as_davx5("davx5://a%3Ab:secret@host/")[1:] == ("a", "b")


@settings(deadline=None)
@given(syncs())
def test_davx5_reads_back_what_was_written(sync: Sync) -> None:
    secret = sync.secret.get_secret_value()
    assert read_as_davx5(davx5_link(sync)) == (sync.dav_url, sync.address, secret)


def test_nextcloud_gets_the_password_first() -> None:
    assert nextcloud_link(NEXTCLOUD) == (
        f"nc://login/password:{PLAIN_SECRET}"
        "&user:alice@exemple.test&server:https://cloud.exemple.test"
    )


def test_nextcloud_34_1_which_cuts_eight_characters_still_shows_user_and_server() -> None:
    cut = "nc://login/" + nextcloud_link(NEXTCLOUD)[len("nc://onetime-login/") :]
    assert "&user:alice@exemple.test&server:https://cloud.exemple.test" in cut


def test_nextcloud_gets_ampersand_plus_and_percent_escaped() -> None:
    sync = replace(NEXTCLOUD, address="a+b&c%d@exemple.test")
    assert "user:a%2Bb%26c%25d@exemple.test&" in nextcloud_link(sync)


@settings(deadline=None)
@given(syncs())
def test_nextcloud_reads_back_what_was_written(sync: Sync) -> None:
    assert read_as_nextcloud(nextcloud_link(sync)) == {
        "user": sync.address,
        "password": sync.secret.get_secret_value(),
        "server": "https://cloud.exemple.test",
    }


def test_a_light_cloud_has_no_nextcloud_link() -> None:
    with pytest.raises(PaquetError):
        nextcloud_link(LIGHT)


def test_icsx5_is_given_webcals_because_webcal_means_http_there() -> None:
    link = subscription_link("https://cloud.exemple.test/holidays.ics")
    assert link == "webcals://cloud.exemple.test/holidays.ics"


@pytest.mark.parametrize("url", ["http://a.test/x.ics", "webcal://a.test/x.ics", "a.test/x.ics"])
def test_a_calendar_without_encryption_is_refused(url: str) -> None:
    with pytest.raises(PaquetError):
        subscription_link(url)
