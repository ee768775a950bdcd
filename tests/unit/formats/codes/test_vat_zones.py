from __future__ import annotations

import pytest
from stdnum.eu import vat as eu_vat

from provision.formats.codes import vat_zones
from provision.formats.codes.vat_zones import Zone


@pytest.mark.parametrize(
    ("country", "postcode", "zone"),
    [
        ("FR", "14000", Zone.FRANCE),
        ("FR", "20000", Zone.FRANCE),
        ("FR", "98000", Zone.FRANCE),
        ("MC", "98000", Zone.FRANCE),
        ("FR", "97400", Zone.OVERSEAS),
        ("FR", "97 110", Zone.OVERSEAS),
        ("MQ", "97200", Zone.OVERSEAS),
        ("FR", "97300", Zone.WITHOUT),
        ("YT", "97600", Zone.WITHOUT),
        ("FR", "97150", Zone.OUTSIDE),
        ("FR", "97133", Zone.OUTSIDE),
        ("FR", "98714", Zone.OUTSIDE),
        ("PM", "97500", Zone.OUTSIDE),
        ("DE", "10115", Zone.UNION),
        ("DE", "78266", Zone.OUTSIDE),
        ("ES", "28001", Zone.UNION),
        ("ES", "38001", Zone.OUTSIDE),
        ("IT", "23041", Zone.OUTSIDE),
        ("GR", "630 86", Zone.OUTSIDE),
        ("FI", "22100", Zone.OUTSIDE),
        ("AX", "22100", Zone.OUTSIDE),
        ("PT", "9000-001", Zone.UNION),
        ("CH", "1204", Zone.OUTSIDE),
        ("GB", "BT1 1AA", Zone.OUTSIDE),
        ("IM", "IM1 1AA", Zone.OUTSIDE),
    ],
)
def test_a_place_has_the_vat_of_its_territory(country: str, postcode: str, zone: Zone) -> None:
    assert vat_zones.zone(country, postcode) is zone


def test_the_member_states_are_those_that_another_library_knows() -> None:
    others = {code.upper() for code in eu_vat.MEMBER_STATES} - {"XI"}
    assert {{"EL": "GR"}.get(code, code) for code in others} == vat_zones.UNION | {"FR"}
