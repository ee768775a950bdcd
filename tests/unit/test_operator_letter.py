"""The letter of the day to the operator, held against what it looked like."""

from __future__ import annotations

from pathlib import Path

import pytest

from provision.rendering import render
from tests.unit.formats.facturx.document_examples import assert_golden

GOLDEN = Path(__file__).parents[1] / "golden" / "post"
NEW = [
    {
        "about": "jeanne.nuage.example",
        "check": "certificate",
        "result": "warning",
        "since": "2026-11-30",
        "message": "it ends in nine days",
        "hint": "Look at it: paquet bundle check jeanne.nuage.example",
    },
    {
        "about": "bundles1",
        "check": "disk",
        "result": "error",
        "since": "2026-11-29",
        "message": "/srv is 97 % full",
        "hint": "",
    },
]
FAILED = [{"id": 12, "kind": "deploy bundles", "about": "bundles of:bundles1", "message": "2 left"}]
MENDED = [{"about": "bundles1", "check": "queue"}]


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_letter_of_a_day_reads_as_it_did(language: str) -> None:
    words = {"new": NEW, "failed": FAILED, "held": [3], "mended": MENDED, "still": 7}
    text = render(f"post/operator.{language}.txt", {"zone": "nuage.example", **words})
    assert_golden(str(GOLDEN / f"operator.{language}.txt"), text)


def test_a_day_with_little_has_no_empty_chapter() -> None:
    words = {"new": NEW[:1], "failed": [], "held": [], "mended": [], "still": 0}
    text = render("post/operator.en.txt", {"zone": "nuage.example", **words})
    assert "Jobs" not in text
    assert "Mended" not in text
    assert text.startswith("nuage.example: 1 to look at\n")
