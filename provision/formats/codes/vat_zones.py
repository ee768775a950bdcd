"""Where a buyer is for VAT: a country is not always its VAT territory. Pure.

Sources: directive 2006/112/EC, articles 5 to 7; CGI, articles 256-0 and 294. Monaco is France
(article 7). The islands and towns below belong to a member state and lie outside the Union's VAT.
Northern Ireland is of the Union for goods alone (agreement on withdrawal, protocol, article 8): for
services it is the United Kingdom. French postcodes name the overseas places, whatever the country
beside them says.
"""

from __future__ import annotations

from enum import Enum

UNION = frozenset(
    (
        *("AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "GR", "HR", "HU"),
        *("IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK"),
    )
)
# Postcodes that begin so, and the place they mean; IC and EA are codes kept by ISO 3166 for these.
PLACES = {
    "FR": {
        "97133": "BL",
        "97150": "MF",
        "971": "GP",
        "972": "MQ",
        "973": "GF",
        "974": "RE",
        "975": "PM",
        "976": "YT",
        "977": "BL",
        "978": "MF",
        "980": "MC",
        "984": "TF",
        "986": "WF",
        "987": "PF",
        "988": "NC",
    },
    "ES": {"35": "IC", "38": "IC", "51": "EA", "52": "EA"},
    "DE": {"27498": "Heligoland", "78266": "Büsingen"},
    "IT": {"23041": "Livigno", "22061": "Campione"},
    "GR": {"63086": "Athos"},
    "FI": {"22": "AX"},
}


class Zone(Enum):
    """What VAT there is where somebody is established, or lives."""

    FRANCE = "the French one"
    OVERSEAS = "the French one, with other rates"  # article 296: 8,5 %
    WITHOUT = "none, though it is France"  # article 294, 1
    UNION = "another member state's"
    OUTSIDE = "none of the Union's"


KNOWN = {
    **dict.fromkeys(("FR", "MC"), Zone.FRANCE),
    **dict.fromkeys(("GP", "MQ", "RE"), Zone.OVERSEAS),
    **dict.fromkeys(("GF", "YT"), Zone.WITHOUT),
    **dict.fromkeys(UNION, Zone.UNION),
}


def place(country: str, postcode: str) -> str:
    """Return the code of the country, or of the place in it that has a VAT of its own."""
    digits = "".join(sign for sign in postcode if sign.isdigit())
    for beginning, there in PLACES.get(country, {}).items():
        if digits.startswith(beginning):
            return there
    return country


def zone(country: str, postcode: str) -> Zone:
    """Return where an address lies for VAT."""
    return KNOWN.get(place(country, postcode), Zone.OUTSIDE)
