"""Where a customer may pay by card: an address of the organisation's own, with the invoice in it.

Nothing is called or sent: the address is printed, and whoever follows it is with the provider.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from provision.errors import UsageRefused
from provision.money import euros, plain

if TYPE_CHECKING:
    from provision.money import Cents

PLACES = ("invoice", "amount", "reference")
LONGEST = 300
# What an address may be made of (RFC 3986), and the braces of a place.
WRITTEN = re.compile(r"https://[\w.~:/?#\[\]@!$&'()*+,;=%{}-]+", re.ASCII)
PLACE = re.compile(r"\{([^{}]*)\}")
HINT = "Write it like https://pay.example/shop?order={invoice}&amount={amount}."


def check(template: str) -> str:
    """Return the template, or raise UsageRefused unless it is '' or leads to one https site.

    Its places may stand behind the site's name only: an invoice never says where money goes.
    """
    if not template:
        return template
    if len(template) > LONGEST or not WRITTEN.fullmatch(template):
        raise UsageRefused(f"{template[:60]!r} is not an https address", HINT)
    unknown = [place for place in PLACE.findall(template) if place not in PLACES]
    if unknown or set("{}") & set(PLACE.sub("", template)):
        raise UsageRefused(
            f"A payment link has no place {', '.join(unknown) or 'of a single brace'}",
            f"Known are {', '.join(f'{{{place}}}' for place in PLACES)}.",
        )
    site = urlsplit(PLACE.sub("{}", template)).netloc
    if set("{}@") & set(site) or "." not in site:
        raise UsageRefused(f"{site[:60]!r} is not the name of a site", HINT)
    return template


def link(template: str, shown: str, units: Cents) -> str:
    """Return where `units` cents of the invoice `shown` can be paid; '' without a template.

    The reference is what a transfer quotes too, by which a payment is found: the number.
    """
    words = {"invoice": shown, "amount": plain(euros(units)), "reference": shown}
    for place, word in words.items():
        template = template.replace(f"{{{place}}}", quote(word, safe=""))
    return template
