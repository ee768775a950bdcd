from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from pydantic import BaseModel

from provision import settings, shipped
from provision.errors import PaquetError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OPERATOR = """
[operator]
name = "Nuage du pays"
zone = "Nuage.Exemple.FR"
contact = "aide@exemple.fr"
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "paquet.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_operator_alone_is_enough(tmp_path: Path) -> None:
    read = settings.load(written(tmp_path, OPERATOR))
    assert read.operator.zone == "nuage.exemple.fr"
    assert read.operator.language == "fr"


def test_settings_of_before_have_no_telephone_number(tmp_path: Path) -> None:
    assert settings.load(written(tmp_path, OPERATOR)).operator.telephone == ""
    read = settings.load(written(tmp_path, OPERATOR + 'telephone = "02  31 00 00 00"\n'))
    assert read.operator.telephone == "02 31 00 00 00"


def test_paths_count_from_the_folder_of_the_file(tmp_path: Path) -> None:
    read = settings.load(written(tmp_path, OPERATOR + '[names]\nkey_file = "tsig.key"\n'))
    assert read.inventory == tmp_path / "inventory.yml"
    assert read.names.key_file == tmp_path / "tsig.key"
    assert read.registry.url == f"sqlite:///{tmp_path}/paquet.db"


def test_letters_leave_from_an_address_and_since_a_day(tmp_path: Path) -> None:
    told = OPERATOR + '[post]\naddress = "Post@Nuage.exemple.fr"\nsince = 2026-12-01\n'
    read = settings.load(written(tmp_path, told))
    assert (read.post.address, read.post.port) == ("post@nuage.exemple.fr", 465)
    assert settings.load(written(tmp_path, OPERATOR)).post.since is None


def test_an_absolute_path_stays_where_it_is(tmp_path: Path) -> None:
    read = settings.load(written(tmp_path, 'state = "/srv/state"\n' + OPERATOR))
    assert str(read.state) == "/srv/state"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (OPERATOR + "colour = 1\n", "operator.colour: this setting is not known"),
        ('sped = "up"\n' + OPERATOR, "sped: this setting is not known"),
        (OPERATOR.replace("Nuage.Exemple.FR", "not a zone"), "operator.zone"),
        (OPERATOR + '[post]\naddress = "post@exemple.fr"\n', "it needs `since`"),
        (OPERATOR + '[post]\naddress = "nobody"\nsince = 2026-12-01\n', "post.address"),
        (OPERATOR.replace("aide@exemple.fr", "nobody"), "operator.contact"),
        (OPERATOR + 'telephone = "12"\n', "operator.telephone: '12' is not a telephone number"),
        (OPERATOR + "[names]\nport = 0\n", "names.port"),
        (OPERATOR + "[bundles]\nexport_days = 29\n", "bundles.export_days"),
        ("[operator\n", "is not TOML"),
        ("", "operator: Field required"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(PaquetError, match=sentence):
        settings.load(written(tmp_path, text))


def test_absent_settings_say_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(PaquetError, match="no settings") as refused:
        settings.load(tmp_path / "paquet.toml")
    assert "paquet init" in refused.value.hint


def test_the_file_that_init_writes_names_every_setting() -> None:
    """A mistake in it points there."""
    template = (shipped.share("templates") / "paquet.toml.j2").read_text("utf-8")
    sections, named = re.split(r"^\[(\w+)\]$", template, flags=re.MULTILINE), set()
    for section, body in zip(["", *sections[1::2]], sections[0::2], strict=True):
        words = re.findall(r"^(?:# )?(\w+) = ", body, re.MULTILINE)
        named |= {f"{section}.{word}".strip(".") for word in words}
    assert named == set(every_setting(settings.Settings))


def every_setting(model: type[BaseModel], above: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from every_setting(kind, f"{above}{name}.")
        else:
            yield f"{above}{name}"
