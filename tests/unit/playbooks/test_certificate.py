"""The program that gets certificates, as far as no authority is needed."""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Load = Callable[[str], dict[str, Any]]

PROGRAM = "roles/certificates/files/certificate.py"
pytestmark = pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")
NO_AUTHORITY = {"directory": ""}
NOW = argparse.Namespace(check=False, later=False)
LATER = argparse.Namespace(check=False, later=True)
HOSTS = ["cloud.exemple.test", "autoconfig.exemple.test"]


@pytest.fixture
def program(load: Load, tmp_path: Path) -> dict[str, Any]:
    functions: dict[str, Any] = load(PROGRAM)
    folders = {
        "DESCRIPTIONS": tmp_path / "certificates.d",
        "INSTALLED": tmp_path / "certificates",
        "VERSIONS": tmp_path / "certificates" / ".versions",
        "LEGO_HOME": tmp_path / "lego",
    }
    functions["main"].__globals__.update(folders)
    folders["DESCRIPTIONS"].mkdir()
    folders["INSTALLED"].mkdir()
    description = {"names": HOSTS, "challenge": "http"}
    (folders["DESCRIPTIONS"] / "x.json").write_text(json.dumps(description))
    return functions


def test_a_placeholder_stands_until_the_authority_gives_one(
    program: dict[str, Any], tmp_path: Path
) -> None:
    first = program["ensure"]("x", NO_AUTHORITY, NOW)
    again = program["ensure"]("x", NO_AUTHORITY, NOW)
    assert (first["state"], first["changed"], again["changed"]) == ("placeholder", True, False)
    assert "no authority" in first["problem"]
    assert (tmp_path / "certificates/x/key.pem").stat().st_mode & 0o777 == 0o600


def test_who_does_not_wait_gets_a_placeholder_and_later_the_certificate(
    program: dict[str, Any], tmp_path: Path
) -> None:
    told = program["ensure"]("x", {"directory": "https://acme.test/"}, LATER)
    assert told == {"state": "asked", "problem": "", "changed": True}
    assert program["is_placeholder"]("x")
    assert "no authority" in program["ensure"]("x", NO_AUTHORITY, LATER)["problem"]
    program["install"]("x", *issue(tmp_path, 90, HOSTS))
    assert program["ensure"]("x", NO_AUTHORITY, LATER)["state"] == "good"


def issue(folder: Path, days: int, hosts: list[str]) -> tuple[bytes, bytes]:
    names = ",".join(f"DNS:{host}" for host in hosts)
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-subj", "/CN=Some authority", "-addext", f"subjectAltName={names}"),
            *("-days", str(days), "-keyout", str(folder / "k"), "-out", str(folder / "c")),
        ],
        check=True,
        capture_output=True,
    )
    return (folder / "c").read_bytes(), (folder / "k").read_bytes()


@pytest.mark.parametrize(
    ("days", "hosts", "state"),
    [(90, HOSTS, "good"), (90, HOSTS[:1], "bad"), (1, HOSTS, "good")],
)
def test_a_certificate_is_good_when_it_names_all_and_lasts(
    program: dict[str, Any], tmp_path: Path, days: int, hosts: list[str], state: str
) -> None:
    program["install"]("x", *issue(tmp_path, days, hosts))
    assert program["is_good"]("x", HOSTS) is (state == "good")


def test_key_and_certificate_are_switched_together_and_old_ones_forgotten(
    program: dict[str, Any], tmp_path: Path
) -> None:
    pairs = [(b"chain%d" % number, b"key%d" % number) for number in range(4)]
    for chain, key in pairs:
        program["install"]("x", chain, key)
        here = tmp_path / "certificates/x"
        assert (here / "fullchain.pem").read_bytes() == chain
        assert (here / "key.pem").read_bytes() == key
    assert len(list((tmp_path / "certificates/.versions/x").iterdir())) == 2


def test_the_authority_s_reason_is_told_for_each_name(program: dict[str, Any]) -> None:
    said = (
        "2026/01/01 acme: x\nerror: one or more domains had a problem:\n"
        "[a.test] acme: error: 400 :: urn:ietf:params:acme:error:connection :: no route\n"
        "[b.test] acme: error: 403 :: urn:ietf:params:acme:error:unauthorized :: wrong answer\n"
    )
    assert program["told_by_lego"](said) == "a.test: no route; b.test: wrong answer"
    assert program["told_by_lego"]("lego is missing") == "lego is missing"
