from __future__ import annotations

import pytest

from provision.errors import UsageRefused
from provision.subscriptions.parties import payment_links

SHOP = "https://pay.example/shop"


def test_a_link_names_the_invoice_and_what_is_open_on_it() -> None:
    template = payment_links.check(f"{SHOP}?order={{invoice}}&sum={{amount}}&ref={{reference}}")
    assert payment_links.link(template, "F2026-000012", 123_450) == (
        f"{SHOP}?order=F2026-000012&sum=1234.50&ref=F2026-000012"
    )


def test_a_page_that_asks_for_nothing_is_a_link_too() -> None:
    assert payment_links.link(payment_links.check(SHOP), "F2026-000012", 1) == SHOP
    assert payment_links.link(payment_links.check(""), "F2026-000012", 1) == ""


def test_what_a_place_holds_cannot_lead_elsewhere() -> None:
    assert payment_links.link(f"{SHOP}/{{invoice}}", "../x?y=1", 1) == f"{SHOP}/..%2Fx%3Fy%3D1"


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("http://pay.example/{invoice}", "is not an https address"),
        ("javascript:alert(1)", "is not an https address"),
        ("https://pay.example/ {invoice}", "is not an https address"),
        ('https://pay.example/"onclick', "is not an https address"),
        ("https://pay.example/é", "is not an https address"),
        ("https://pay.example/" + "x" * 300, "is not an https address"),
        (f"{SHOP}?who={{name}}", "has no place name"),
        (f"{SHOP}?x={{}}", "has no place"),
        (f"{SHOP}?x={{invoice", "single brace"),
        (f"{SHOP}?x={{{{invoice}}}}", "single brace"),
        ("https://{invoice}.example/", "is not the name of a site"),
        ("https://pay.example{invoice}/", "is not the name of a site"),
        ("https://shop@evil.example/", "is not the name of a site"),
        ("https://localhost/", "is not the name of a site"),
        ("https:///pay.example", "is not the name of a site"),
    ],
)
def test_what_is_no_address_of_a_shop_is_refused(template: str, why: str) -> None:
    with pytest.raises(UsageRefused, match=why):
        payment_links.check(template)
