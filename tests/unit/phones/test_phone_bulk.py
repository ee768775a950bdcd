from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from provision.errors import PaquetError
from provision.phones.bulk import write_kits
from provision.phones.kits import write_kit
from tests.unit.phones.phone_certificates import make_chain
from tests.unit.phones.phone_examples import LIGHT, NEXTCLOUD

if TYPE_CHECKING:
    from pathlib import Path


def test_many_kits_are_the_kits_made_one_by_one_in_the_same_order(tmp_path: Path) -> None:
    devices = [replace(sync, kind="desktop") for sync in (NEXTCLOUD, LIGHT)]
    devices += [replace(NEXTCLOUD, kind="ios")]
    chain = make_chain(ec.generate_private_key(ec.SECP256R1()))
    folders = [tmp_path / str(number) for number in range(len(devices))]
    kits = write_kits(list(zip(devices, folders, strict=True)), (chain.fullchain, chain.key))
    assert [kit.folder for kit in kits] == folders
    for sync, kit in zip(devices[:2], kits[:2], strict=True):
        alone = write_kit(sync, tmp_path / "alone")
        assert kit.html.read_bytes() == alone.html.read_bytes()
        assert kit.profile is None
    assert kits[2].profile
    assert kits[2].profile.read_bytes()[:1] == b"\x30"


def test_an_error_of_one_kit_is_told_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(PaquetError, match="cannot be read"):
        write_kits([(replace(NEXTCLOUD, kind="ios"), tmp_path / "kit")], (b"", b""))
