"""The devices that the phone tests share, and the readers that play the applications."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import strategies as st
from pydantic import SecretStr

from provision.phones.devices import Support, Sync

GOLDEN = Path(__file__).parents[2] / "golden" / "phones"
PLAIN_SECRET = "abcd2345efgh6789jkmn2345pqrs"
NEXTCLOUD = Sync(
    address="alice@exemple.test",
    display_name="Alice Martin",
    device_name="Téléphone d’Alice",
    kind="android",
    secret=SecretStr(PLAIN_SECRET),
    cloud="nextcloud",
    cloud_host="cloud.exemple.test",
    dav_path="/remote.php/dav/",
    files_url="https://cloud.exemple.test/remote.php/dav/files/alice%40exemple.test/",
    mail_host="bundles1.paquet.test",
    language="fr",
    operator_name="Le Paquet du Trièves",
    support=Support(
        name="Les Amis du Libre",
        telephone="04 76 00 00 00",
        email="aide@amis.test",
        sold_by="Boutique Libre",
        supported_by="Les Amis du Libre",
    ),
    issued=date(2026, 11, 1),
)
LIGHT = replace(
    NEXTCLOUD,
    address="zoe@zoe.paquet.test",
    display_name="Zoé Lefèvre",
    cloud="light",
    cloud_host="zoe.paquet.test",
    dav_path="/dav/",
    files_url="https://zoe.paquet.test/files/zoe@zoe.paquet.test/",
    language="en",
)

# What may be in a name: everything but what XML cannot carry, and the worst of it often.
HOSTILE = ["'\"", "<b>&amp;", "{{ 7 * 7 }}", "\\", "]]>", "\u202eevil", "\u2066x", "%40", "$(id)"]
WRITABLE = st.characters(
    blacklist_categories=("Cc", "Cs", "Zl", "Zp"),
    blacklist_characters=[
        chr(plane << 16 | end) for plane in range(17) for end in (0xFFFE, 0xFFFF)
    ],
)
NAMES = st.lists(
    st.one_of(st.sampled_from(HOSTILE), st.text(WRITABLE, min_size=1, max_size=8)), max_size=8
).map(lambda parts: "".join(parts)[:120])
LOCAL_PARTS = st.from_regex(r"[a-zA-Z0-9!#$%&'*+/=?^_`{|}~.-]{1,30}", fullmatch=True).filter(
    lambda local: re.fullmatch(r"[^.]+(\.[^.]+)*", local)
)
SECRETS = st.from_regex(r"[A-Za-z0-9]{24,72}", fullmatch=True)


@st.composite
def syncs(draw: st.DrawFn, base: Sync = NEXTCLOUD) -> Sync:
    """Draw `base` with other people's names, address and secret."""
    return replace(
        base,
        address=f"{draw(LOCAL_PARTS)}@{base.domain}",
        display_name=draw(NAMES),
        device_name=draw(NAMES),
        operator_name=draw(NAMES),
        support=Support(*(draw(NAMES.filter(bool)) for _ in range(5))),
        secret=SecretStr(draw(SECRETS)),
    )


def assert_golden(name: str, text: str) -> None:
    """Compare with the golden file; PAQUET_GOLDEN=write writes it, and still fails once.

    So a run that rewrites can never be green: a person looks at the difference, then runs again.
    """
    path = GOLDEN / name
    if os.environ.get("PAQUET_GOLDEN") == "write" and _differs(path, text):
        path.write_text(text, encoding="utf-8")
        pytest.fail(f"{path} was written: read the difference, then run again without it")
    assert path.exists(), f"{path} is missing: write it with PAQUET_GOLDEN=write"
    assert text == path.read_text(encoding="utf-8")


def _differs(path: Path, text: str) -> bool:
    return not path.exists() or path.read_text(encoding="utf-8") != text
