from __future__ import annotations

import pycountry
import pytest

from provision.errors import UsageRefused
from provision.formats.codes import countries


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("Allemagne", "DE"),
        (" germany ", "DE"),
        ("DE", "DE"),
        ("deu", "DE"),
        ("l’Italie", "IT"),
        ("Les Pays-Bas", "NL"),
        ("Hollande", "NL"),
        ("etats unis", "US"),
        ("Angleterre", "GB"),
        ("UK", "GB"),
        ("EL", "GR"),
        ("La Réunion", "RE"),
        ("Guyane", "GF"),
        ("République tchèque", "CZ"),
        ("Corée du Sud", "KR"),
        ("Russie", "RU"),
    ],
)
def test_a_country_is_known_by_its_names_and_codes(typed: str, code: str) -> None:
    assert countries.code(typed) == code


@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_country_is_found_by_the_name_that_is_printed(language: str) -> None:
    for country in pycountry.countries:
        assert countries.code(countries.name(country.alpha_2, language)) == country.alpha_2


def test_a_name_is_printed_as_people_read_it() -> None:
    assert countries.name("RE", "fr") == "Réunion"
    assert countries.name("CD", "en") == "The Democratic Republic of the Congo"
    assert countries.name("XX", "fr") == "XX"


@pytest.mark.parametrize(
    ("typed", "hint"),
    [("Alemagne", "Did you mean Allemagne"), ("", "Write its name"), ("\x1b[2J" * 40, "Write its")],
)
def test_what_is_no_country_is_refused_with_what_was_meant(typed: str, hint: str) -> None:
    with pytest.raises(UsageRefused, match="is not a country") as refused:
        countries.code(typed)
    assert refused.value.hint.startswith(hint)
    assert "\x1b" not in str(refused.value)
