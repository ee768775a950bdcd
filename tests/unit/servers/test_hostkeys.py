"""Host keys: what ssh-keygen says of a key is what we say of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from provision.process.commands import run
from provision.servers.hostkeys import HostKey, parse

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_a_fingerprint_is_the_one_that_ssh_keygen_shows(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "key"
    run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", str(path)])
    shown = run(["ssh-keygen", "-lf", str(path)])
    words = path.with_suffix(".pub").read_text().split()
    assert HostKey(words[0], words[1]).fingerprint == shown.stdout.split()[1]


def test_a_known_hosts_file_is_read_without_its_comments() -> None:
    text = "# one\n@revoked x ssh-rsa AAAA\na,b ssh-ed25519 QUJD comment\n\nbroken line\n"
    key = HostKey("ssh-ed25519", "QUJD")
    assert parse(text) == [("a", key), ("b", key)]
