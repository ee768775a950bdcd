from __future__ import annotations

import pytest

from provision import rendering, shipped
from provision.errors import PaquetError


def test_what_people_write_is_never_a_template() -> None:
    typed = "{{ 7 * 7 }}"
    text = rendering.render(
        "paquet.toml.j2",
        {
            "operator": typed,
            "zone": "z",
            "language": "fr",
            "contact": "c",
            "registry": "r",
            "quoted": repr,
        },
    )
    assert typed in text


def test_a_missing_word_is_an_error() -> None:
    with pytest.raises(PaquetError, match=r"paquet\.toml\.j2"):
        rendering.render("paquet.toml.j2", {})


def test_a_missing_folder_is_an_error() -> None:
    with pytest.raises(PaquetError, match="missing from this installation"):
        shipped.share("no-such-folder")
