"""Backups of a bundle: made, listed, restored, compared."""

from __future__ import annotations

import hashlib
import json
import socket
import time
from typing import TYPE_CHECKING

import pytest

from provision.errors import UsageRefused
from provision.process.commands import CommandFailed
from provision.servers import inventory
from provision.servers.outcomes import PlayFailed
from provision.workflows import safekeeping
from tests.lab import mail_clients as mail
from tests.lab.contract.clients import Clients, files_url

if TYPE_CHECKING:
    from pathlib import Path

    from tests.lab.region import Delivered

# Restic alone tries for a quarter of an hour before it gives up.
pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]
ANSWERS = 207


def test_files_and_mail_and_database_come_back(
    delivered_bundle: Delivered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    control, domain = delivered_bundle.region.control, delivered_bundle.domain
    monkeypatch.setattr(
        socket, "getaddrinfo", mail.tell_names(delivered_bundle, socket.getaddrinfo)
    )
    here = tmp_path / "Fête été.txt"
    here.write_text("Grüße", encoding="utf-8")
    clients = Clients(delivered_bundle, delivered_bundle.secret, tmp_path)
    clients.rclone("copyto", str(here), "cloud:Fête été.txt")
    subject, login = mail.mark(), mail.Device("", delivered_bundle.address, delivered_bundle.secret)
    with mail.submission(delivered_bundle, login) as session:
        session.send_message(mail.message(login.address, login.address, subject))
    mail.received(delivered_bundle, login, subject)

    snapshot = safekeeping.run(control, domain)
    listed = safekeeping.snapshots(control, domain)
    assert str(listed[-1]["snapshot"]).startswith(snapshot[:8])
    assert len(listed) >= 2, "the first backup of the order is missing"
    folder = safekeeping.restore(control, domain, tmp_path / "restored", snapshot)

    (file,) = folder.rglob("Fête été.txt")
    assert file.read_bytes() == here.read_bytes()
    letters = [path for path in folder.rglob("*") if path.is_file() and "/mail/" in str(path)]
    assert any(subject.encode() in letter.read_bytes() for letter in letters)
    if delivered_bundle.cloud == "nextcloud":
        dumps = [path for path in folder.rglob("*.dump") if path.read_bytes()[:5] == b"PGDMP"]
        assert dumps, "no database dump was restored"


def test_a_folder_in_use_is_never_written_over(light: Delivered, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("x")
    with pytest.raises(UsageRefused, match="is not empty"):
        safekeeping.restore(light.region.control, light.domain, tmp_path, "latest")
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_an_export_names_every_file(light: Delivered, tmp_path: Path) -> None:
    told = safekeeping.export(light.region.control, light.domain, tmp_path / "export")
    manifest = json.loads((tmp_path / "export" / "MANIFEST.json").read_text(encoding="utf-8"))
    assert told["files"] == len(manifest) > 0
    for path, digest in manifest.items():
        content = (tmp_path / "export" / path).read_bytes()
        assert hashlib.sha256(content).hexdigest() == digest


def test_the_server_cannot_delete_its_backups(light: Delivered) -> None:
    folder = f"/etc/paquet/backup/{light.name}"
    forget = ["restic", "--repository-file", f"{folder}/repository", "--cacert"]
    forget += ["/etc/paquet/acme-ca.pem", "--password-file", f"{folder}/password"]
    forget += ["forget", "--keep-last", "1", "--prune", "--unsafe-allow-remove-all"]
    before = safekeeping.snapshots(light.region.control, light.domain)
    with pytest.raises(CommandFailed):
        light.server.run([*forget, "latest"])
    assert safekeeping.snapshots(light.region.control, light.domain) == before


def test_a_backup_that_may_not_see_its_mail_fails(light: Delivered) -> None:
    """A server that was deployed before its bundles: no snapshot is told a success without mail."""
    unit = f"paquet-backup@{light.name}.service"
    laid = f"/etc/systemd/system/{unit}.d/mail.conf"
    move = f"mv {laid}{{0}} {laid}{{1}} && systemctl daemon-reload"
    light.server.run(["sh", "-c", move.format("", ".away")])
    try:
        failed = light.server.run(["systemctl", "start", unit], check=False)
        said = light.server.run(["journalctl", "-u", unit, "-n", "20", "-o", "cat"]).stdout
    finally:
        light.server.run(["sh", "-c", move.format(".away", "")])
    assert failed.returncode
    assert "does not see /srv/mail: deploy the bundle" in said
    assert safekeeping.run(light.region.control, light.domain)


def test_a_backup_that_is_stopped_lets_its_cloud_work(nextcloud: Delivered, tmp_path: Path) -> None:
    unit, server = f"paquet-backup@{nextcloud.name}.service", nextcloud.server
    clients = Clients(nextcloud, nextcloud.secret, tmp_path)
    server.run(["systemctl", "start", "--no-block", unit])
    time.sleep(1.5)
    server.run(["systemctl", "stop", unit])
    server.run(["systemctl", "reset-failed", unit], check=False)
    assert clients.status("PROPFIND", files_url(nextcloud)) == ANSWERS


def test_a_backup_that_waits_can_be_stopped(light: Delivered) -> None:
    unit, holder = f"paquet-backup@{light.name}.service", "held-by-a-test.service"
    hold = ["systemd-run", f"--unit={holder}", "flock", f"/etc/paquet/backup/{light.name}"]
    light.server.run([*hold, "sleep", "120"])
    try:
        time.sleep(1)
        light.server.run(["systemctl", "start", "--no-block", unit])
        time.sleep(2)
        show = ["systemctl", "show", "--value", "--property=MainPID", unit]
        assert light.server.run(show).stdout.strip() != "0"
        light.server.run(["systemctl", "stop", "--no-block", unit])
        time.sleep(3)
        assert light.server.run(show).stdout.strip() == "0"
    finally:
        light.server.run(["systemctl", "stop", holder], check=False)
        light.server.run(["systemctl", "stop", unit])
        light.server.run(["systemctl", "reset-failed", unit], check=False)


def test_a_backup_server_without_its_certificate_is_told_at_once(light: Delivered) -> None:
    """restic alone would try for a quarter of an hour, and say nothing meanwhile."""
    control, server = light.region.control, light.region.machine("backup1")
    name = inventory.find(control.settings.inventory, "backup1").server_name
    folder, kept = f"/etc/paquet/certificates/{name}", "/root/kept-by-a-test"
    make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    make += ["-nodes", "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}", "-days=2"]
    restart = ["systemctl", "restart", "paquet-backup-server.service"]
    server.run(["cp", "-a", f"{folder}/.", kept])
    try:
        for file, option in (("key.pem", "-keyout"), ("fullchain.pem", "-out")):
            make += [option, f"{folder}/{file}"]
        server.run(make)
        server.run(["chown", "--reference", f"{kept}/key.pem", f"{folder}/key.pem"])
        server.run(["chmod", "--reference", f"{kept}/key.pem", f"{folder}/key.pem"])
        server.run(restart)
        with pytest.raises(PlayFailed, match="a certificate that nobody vouches for"):
            safekeeping.run(control, light.domain)
    finally:
        server.run(["cp", "-a", f"{kept}/.", folder])
        server.run(["rm", "-r", kept])
        server.run(restart)
    assert safekeeping.run(control, light.domain)
