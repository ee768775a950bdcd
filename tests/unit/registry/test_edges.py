from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provision import edges
from provision.errors import UsageRefused

ZONE = "paquet.test"


@pytest.mark.parametrize(
    ("typed", "clean"),
    [
        ("Jeanne d'Arc", "Jeanne d'Arc"),
        ('Zoë "Zo" O’Brien', 'Zoë "Zo" O’Brien'),
        ("E\u0301lise", "Élise"),
        ("  Ana   Maria ", "Ana   Maria"),
    ],
)
def test_names_of_people_are_kept(typed: str, clean: str) -> None:
    assert edges.person_name(typed) == clean


@pytest.mark.parametrize(
    "typed",
    ["", "   ", "a\nb", "a\r", "a\0", "\u202egnp.exe", "zero\u200bwidth", "n" * 65, "\ud800"],
)
def test_names_that_lie_are_refused(typed: str) -> None:
    with pytest.raises(UsageRefused):
        edges.person_name(typed)


@given(st.text(max_size=80))
def test_a_name_is_one_readable_line_or_refused(typed: str) -> None:
    try:
        told = edges.person_name(typed)
        assert 1 <= len(told) <= edges.LONGEST_NAME
    except UsageRefused as refused:
        told = refused.message
    # Only spaces of other kinds (U+00A0 …) may be there beside printable characters.
    assert all(letter.isprintable() or unicodedata.category(letter) == "Zs" for letter in told)


@pytest.mark.parametrize(
    ("typed", "clean"),
    [
        ("Exemple.FR.", "exemple.fr"),
        ("crêperie.paquet.test", "xn--crperie-kya.paquet.test"),
        ("straße.de", "xn--strae-oqa.de"),
    ],
)
def test_domains_become_a_labels(typed: str, clean: str) -> None:
    assert edges.domain(typed) == clean


@pytest.mark.parametrize(
    "typed",
    [
        "",
        ".",
        "localhost",
        "-a.fr",
        "a_b.fr",
        "a b.fr",
        "192.0.2.1",
        "a..fr",
        "x" * 64 + ".fr",
        ".".join(["abcdefgh"] * 32),
        "$(id).fr",
        "{{7*7}}.fr",
        "a.fr;reboot",
        "a.fr\nb.fr",
        "fr.\u202e",
        "2001:db8::1",
    ],
)
def test_what_is_no_domain_is_refused(typed: str) -> None:
    with pytest.raises(UsageRefused):
        edges.domain(typed)


@given(st.text(max_size=80))
def test_a_domain_is_letters_digits_and_hyphens_or_refused(typed: str) -> None:
    try:
        name = edges.domain(typed)
    except UsageRefused:
        return
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789.-")


def test_a_bundle_lives_one_step_below_the_zone_or_on_its_own_domain() -> None:
    assert edges.bundle_domain("alice.paquet.test", ZONE) == "alice.paquet.test"
    assert edges.bundle_domain("exemple.test", ZONE) == "exemple.test"


@pytest.mark.parametrize(
    "typed", ["paquet.test", "a.b.paquet.test", "www.paquet.test", "bundles1.paquet.test"]
)
def test_names_of_the_operator_are_refused(typed: str) -> None:
    with pytest.raises(UsageRefused):
        edges.bundle_domain(typed, ZONE, frozenset({"bundles1.paquet.test"}))


@pytest.mark.parametrize(
    "typed", ["", ".a", "a.", "a..b", "root", "Postmaster", "a b", "a@b", "é", "x" * 65, "a\n"]
)
def test_bad_logins_are_refused(typed: str) -> None:
    with pytest.raises(UsageRefused):
        edges.login(typed.replace("\n", "\n."))


def test_an_address_is_lower_case_with_an_a_label() -> None:
    assert edges.email(" Jeanne.Martin@Exemple.FR ") == "jeanne.martin@exemple.fr"


@pytest.mark.parametrize(
    "typed", ["jeanne", "@a.fr", "a@", "a@b@c.fr", "a b@c.fr", "'a'@b.fr", "a@b"]
)
def test_bad_addresses_are_refused(typed: str) -> None:
    with pytest.raises(UsageRefused):
        edges.email(typed)


def test_a_code_is_short_and_plain() -> None:
    assert edges.code("famille-2", "plan") == "famille-2"
    with pytest.raises(UsageRefused, match="is not a plan"):
        edges.code("Famille!", "plan")
