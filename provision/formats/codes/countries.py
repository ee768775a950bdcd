"""Countries by name: what people type becomes a code of ISO 3166-1, and paper prints a name.

The names are those of pycountry (Debian's iso-codes), in English and French.
"""

from __future__ import annotations

import gettext
import re
import unicodedata
from collections import Counter
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING

import pycountry

from provision.errors import UsageRefused

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST, LONGEST_CODE = 60, 3
LIKENESS = 0.75  # of what was typed and what may be meant, from 0 to 1
CODE = re.compile("[A-Z]{2}")
ARTICLE = re.compile(r"^(?:the|la|le|les|l) (?=.)")
# What people call a country, and no list does; EL is how VAT numbers name Greece.
ALSO = {
    "angleterre": "GB",
    "birmanie": "MM",
    "czech republic": "CZ",
    "ecosse": "GB",
    "el": "GR",
    "england": "GB",
    "grande bretagne": "GB",
    "great britain": "GB",
    "guyane": "GF",
    "holland": "NL",
    "hollande": "NL",
    "irlande du nord": "GB",
    "ivory coast": "CI",
    "northern ireland": "GB",
    "pays de galles": "GB",
    "saint martin": "MF",
    "scotland": "GB",
    "turkey": "TR",
    "uk": "GB",
    "vatican": "VA",
    "wales": "GB",
}


def code(typed: str) -> str:
    """Return the two letters of a country that is typed by name, in French or English, or by code.

    Raises UsageRefused for what is none, with what may have been meant.
    """
    wanted = plain(typed[:LONGEST])
    letters = _index().get(wanted)
    if letters is not None:
        return letters
    near = get_close_matches(
        wanted, [called for called in _index() if len(called) > LONGEST_CODE], n=1, cutoff=LIKENESS
    )
    hint = "Write its name or its two letters, such as Allemagne, Germany or DE."
    if near:
        meant = _index()[near[0]]
        hint = f"Did you mean {name(meant, 'fr')} ({meant})?"
    raise UsageRefused(f"{typed[:LONGEST]!a} is not a country", hint)


def as_code(written: str) -> str:
    """Return the same of a country in a row or a file: a code stays as it is, known or not."""
    return written if CODE.fullmatch(written) else code(written)


def name(known: str, language: str) -> str:
    """Return what the country of a code is called in French ("fr") or English ("en").

    A code that stands for no country, as old rows may have it, is returned as it is.
    """
    country = pycountry.countries.get(alpha_2=known)
    if country is None:
        return known
    called = getattr(country, "common_name", country.name)
    if language == "fr":
        called = _french().gettext(called)
    head = called.partition(", ")[0]
    return head if _index().get(plain(head)) == known else _turned(called)


def plain(written: str) -> str:
    """Return lower letters and digits alone, without accents nor article."""
    bare = "".join(
        sign for sign in unicodedata.normalize("NFKD", written) if not unicodedata.combining(sign)
    )
    words = " ".join(re.split(r"[^0-9a-z]+", bare.casefold())).strip()
    return ARTICLE.sub("", words)


@cache
def _french() -> gettext.GNUTranslations:
    return gettext.translation("iso3166-1", pycountry.LOCALES_DIR, languages=["fr"])


@cache
def _index() -> dict[str, str]:
    """Return the codes by all that a country may be called, in plain letters."""
    names, heads = {}, []
    for country in pycountry.countries:
        for called in _called(country):
            names[plain(called)] = country.alpha_2
            head = re.split(r", | \(", called)[0]
            heads.append((plain(head), country.alpha_2))
    claims = Counter(head for head, _code in set(heads))
    short = {head: of for head, of in heads if claims[head] == 1}
    return short | names | ALSO


def _called(country: object) -> Iterator[str]:
    yield from (country.alpha_2, country.alpha_3)  # type: ignore[attr-defined]
    for form in ("name", "common_name", "official_name"):
        english = getattr(country, form, None)
        if english:
            both = (english, _french().gettext(english))
            yield from (*both, *map(_turned, both))


def _turned(called: str) -> str:
    """Return 'Republic of Korea' for 'Korea, Republic of'."""
    head, _comma, rest = called.partition(", ")
    return f"{rest} {head}" if rest else head
