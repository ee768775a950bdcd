"""What changes machines, archives and the lab says first what it will do, and touches nothing."""

from __future__ import annotations

import json
import os
import tarfile
from io import BytesIO
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import pytest
from click.testing import CliRunner

from provision.commands.begin.lab import lab
from provision.commands.begin.rehearse import rehearse
from provision.commands.machines.artifact import artifact
from provision.commands.machines.server import server
from provision.commands.shared import asking
from provision.commands.shared.context import Context
from provision.errors import PaquetError, UsageRefused
from provision.servers import artifacts
from provision.servers.artifacts import Upstream, digest

if TYPE_CHECKING:
    from pathlib import Path

    import click

VERSION = "34.0.1"
SETTINGS = """
cache = "cache"
[operator]
name = "Les Amis"
zone = "paquet.test"
contact = "aide@paquet.test"
"""
INVENTORY = """
all:
  children:
    bundles:
      hosts: {bundles1: {ansible_host: 198.51.100.1, server_name: b1.paquet.test}}
"""
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="the lab needs root")


@pytest.fixture
def context(tmp_path: Path) -> Context:
    (tmp_path / "paquet.toml").write_text(SETTINGS, "utf-8")
    (tmp_path / "inventory.yml").write_text(INVENTORY, "utf-8")
    return Context(tmp_path / "paquet.toml")


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path, content = tmp_path / "given.tar.gz", f"<?php $OC_VersionString = '{VERSION}';".encode()
    with tarfile.open(path, "w:gz") as opened:
        told = tarfile.TarInfo("nextcloud/version.php")
        told.size = len(content)
        opened.addfile(told, BytesIO(content))
    return path


def call(context: Context, command: click.Command, *words: str) -> Any:  # noqa: ANN401 (JSON is anything)
    answer = CliRunner().invoke(
        command, [*words, "--json"], obj=context, standalone_mode=False, catch_exceptions=False
    )
    return json.loads(answer.stdout)


def unasked(context: Context, command: click.Command, *words: str) -> None:
    """Nobody is at the keyboard of these tests."""
    with pytest.raises(UsageRefused, match="Nobody is there to say yes"):
        call(context, command, *words)


def test_an_archive_is_shown_with_its_digest_before_it_is_kept(
    context: Context, archive: Path, tmp_path: Path
) -> None:
    words = ("add", "nextcloud", VERSION, str(archive))
    told = call(context, artifact, *words, "--dry-run")
    assert (told["sha256"], told["origin"]) == (digest(archive), "given without a digest")
    unasked(context, artifact, *words)
    with pytest.raises(PaquetError, match="expected was 0000"):
        call(context, artifact, *words, "--sha256", "0" * 64, "--dry-run")
    assert not (tmp_path / "cache").exists()
    kept = call(context, artifact, *words, "--yes")
    assert kept == {**told, "added": kept["added"]}
    assert kept["added"]


def test_an_archive_is_unpacked_once_where_somebody_is_asked(
    context: Context, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unpacked = Mock(wraps=artifacts.inspect)
    monkeypatch.setattr(artifacts, "inspect", unpacked)
    monkeypatch.setattr(asking, "someone_is_there", lambda: True)
    monkeypatch.setattr(asking, "agree", lambda *_question, **_how: True)
    assert call(context, artifact, "add", "nextcloud", VERSION, str(archive))["added"]
    assert unpacked.call_count == 1


def test_where_an_archive_comes_from_and_who_signs_it_is_shown_before_it_is_fetched(
    context: Context, tmp_path: Path
) -> None:
    words = ("fetch", "nextcloud", VERSION)
    with pytest.raises(PaquetError, match="Without upstream's key"):
        call(context, artifact, *words, "--dry-run")
    (tmp_path / "key").write_bytes(b"key")
    told = call(context, artifact, *words, "--keyring", str(tmp_path / "key"), "--dry-run")
    assert told["address"].endswith(f"nextcloud-{VERSION}.tar.bz2")
    assert told["signed_by"] == Upstream().fingerprint
    unasked(context, artifact, *words, "--keyring", str(tmp_path / "key"))
    assert not (tmp_path / "cache").exists()


def test_who_is_let_in_is_shown_before_a_server_is_asked(context: Context) -> None:
    words = ("allow", "bundles1", "203.0.113.7", "--for", "8h")
    told = call(context, server, *words, "--dry-run")
    assert told == {"server": "bundles1", "address": "203.0.113.7", "for": "8:00:00"}
    unasked(context, server, *words)
    lift = ("bans", "bundles1", "--lift", "203.0.113.7")
    assert call(context, server, *lift, "--dry-run")["opens_to"] == "203.0.113.7"
    unasked(context, server, *lift)


@needs_root
@pytest.mark.parametrize("words", [("up",), ("down",), ("snapshot", "kept", "--remove")])
def test_a_lab_is_left_alone_until_somebody_agrees(
    context: Context, words: tuple[str, ...]
) -> None:
    told = call(context, lab, *words, "--name", "nolab", "--dry-run")
    assert told.get("lab", "nolab") == "nolab"
    assert [one["machine"] for one in told.get("machines", [])] in (
        [],
        ["bundles1", "backup1", "internet"],
    )
    unasked(context, lab, *words, "--name", "nolab")


@needs_root
def test_what_a_rehearsal_removes_is_shown_before_it_is_removed(
    context: Context, tmp_path: Path
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/letter").touch()
    for words in ((), ("--clean",)):
        all_words = (*words, "--name", "nolab", "--folder", str(tmp_path / "mine"))
        told = call(context, rehearse, *all_words, "--dry-run")
        assert told["folder"] == f"{tmp_path / 'mine'}, removed with all in it"
        unasked(context, rehearse, *all_words)
    assert (tmp_path / "mine/letter").exists()
