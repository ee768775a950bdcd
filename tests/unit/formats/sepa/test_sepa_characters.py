from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provision.errors import UsageRefused
from provision.formats.sepa.characters import WRITABLE, reference, sepa_text


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("Élodie Nœuf-Château", "Elodie Noeuf-Chateau"),
        ("Łukasz Größe Ørsted Þór", "Lukasz Grosse Orsted THor"),
        ("L’été « à 10 € »", "L'ete ' a 10 EUR '"),
        ("Martin & fils; [SARL] <x> a_b|c", "Martin + fils, (SARL) (x) a-b/c"),
        ("=cmd()", ".cmd()"),
        ("Jeanne 🥕 Martin", "Jeanne . Martin"),
        ("two\nlines\tand\u202fmore", "two lines and more"),
        ("qui ? moi", "qui ? moi"),
    ],
)
def test_what_people_write_is_brought_into_the_characters_of_banks(
    typed: str, written: str
) -> None:
    assert sepa_text(typed, "name", 70) == written


@pytest.mark.parametrize(
    "typed", ["", "  ", "🥕", "...", "." * 70 + "a", "Иван", "Γιώργος", "a\x00b", "a\u202eb", "٣"]
)
def test_what_no_bank_can_write_is_refused_and_not_replaced(typed: str) -> None:
    with pytest.raises(UsageRefused):
        sepa_text(typed, "name", 70)


def test_a_text_that_is_too_long_is_cut_without_a_space_at_its_end() -> None:
    assert sepa_text("œ" * 50, "name", 70) == "oe" * 35
    assert sepa_text("abc defg", "name", 4) == "abc"


@given(st.text(max_size=200))
def test_a_text_is_either_refused_or_written_in_the_characters_of_banks(typed: str) -> None:
    try:
        written = sepa_text(typed, "text", 140)
    except UsageRefused:
        return
    assert 1 <= len(written) <= 140
    assert set(written) <= WRITABLE
    assert sepa_text(written, "text", 140) == written
    assert written.count("?") <= unicodedata.normalize("NFKD", typed).count("?")


@pytest.mark.parametrize("typed", ["TOPO-000042", "a/b.c", "A" * 35])
def test_a_reference_of_banks_characters_is_taken(typed: str) -> None:
    assert reference(typed, "reference") == typed


@pytest.mark.parametrize(
    "typed", ["", "A" * 36, "a b", "é", "/a", "a/", "a//b", "a\n", "=cmd()", "<x>", "٣"]
)
def test_a_reference_that_a_bank_would_refuse_is_refused(typed: str) -> None:
    with pytest.raises(UsageRefused, match="cannot be the reference"):
        reference(typed, "reference")
