"""Backups of one bundle: run now, look, restore, and hand everything to its owner."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

from provision.backups import export as exports
from provision.backups.repository import Repository, refuse_used_folder
from provision.errors import PaquetError
from provision.registry.secrets import open_safe
from provision.servers import inventory, tunnel
from provision.servers.looking import Inquiry, ask_program
from provision.servers.play import AN_HOUR
from provision.servers.variables import REST_PORT
from provision.workflows import bundles, plays

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from provision.backups.repository import Snapshot
    from provision.registry.models import Bundle
    from provision.workflows.control import Control

PROGRAM = "/usr/local/lib/paquet/backup"


def run(control: Control, domain: str) -> str:
    """Back the bundle of `domain` up now and return the id of its snapshot."""
    bundle = bundles.find(control, domain)
    result = plays.change(control, plays.bundle_play("backup.yml", bundle, control))
    return str(result.facts["backup"]["snapshot"])


def first(control: Control, bundle: Bundle) -> str:
    """Wait for the first snapshot of `bundle`, which its order began, and return its id.

    Where there are snapshots already, it is the newest one's. Raises PaquetError.
    """
    server = inventory.find(control.settings.inventory, bundle.server)
    words = (PROGRAM, "--first", bundle.name)
    hint = f"See that {bundle.backup_server} is on and answers."
    inquiry = Inquiry(words, f"could not back {bundle.domain} up", hint, AN_HOUR)
    return str(json.loads(ask_program(server, control.settings, inquiry))["snapshot"])


def snapshots(control: Control, domain: str) -> Sequence[Mapping[str, object]]:
    """Return one row per snapshot, the oldest first."""
    with _repository(control, bundles.find(control, domain)) as repository:
        return [snapshot.as_row() for snapshot in repository.snapshots()]


def snapshot(control: Control, domain: str, wanted: str) -> Snapshot:
    """Return the snapshot `wanted` of the bundle of `domain`: an id or how it begins, or `latest`.

    Raises PaquetError when there is none.
    """
    with _repository(control, bundles.find(control, domain)) as repository:
        known = repository.snapshots()
    # restic lists short ids; what was typed may be shorter or longer.
    alike = [
        snapshot
        for snapshot in known
        if snapshot.id.startswith(wanted) or wanted.startswith(snapshot.id)
    ]
    chosen = known[-1:] if wanted == "latest" else alike
    if len(chosen) != 1:
        raise PaquetError(
            f"{domain} has no snapshot {wanted}, or several that begin so",
            f"See: paquet backup list {domain}",
        )
    return chosen[0]


def look(control: Control, domain: str, folder: Path) -> Bundle:
    """Return the bundle of `domain`, when `folder` may be filled from its backup.

    Raises UsageRefused for a folder that holds something.
    """
    refuse_used_folder(folder)
    return bundles.find(control, domain)


def restore(control: Control, domain: str, folder: Path, snapshot: str) -> Path:
    """Restore a snapshot of the bundle of `domain` into the empty `folder` on this machine."""
    refuse_used_folder(folder)
    with _repository(control, bundles.find(control, domain)) as repository:
        return repository.restore(snapshot, folder)


def export(control: Control, domain: str, folder: Path) -> Mapping[str, object]:
    """Write everything of the bundle of `domain` into `folder`, with a manifest of checksums."""
    refuse_used_folder(folder)
    run(control, domain)
    restore(control, domain, folder, "latest")
    return exports.write_manifest(folder)


@contextmanager
def _repository(control: Control, bundle: Bundle) -> Iterator[Repository]:
    server = inventory.find(control.settings.inventory, bundle.backup_server)
    with control.session() as session:
        safe, owner = open_safe(session, control.settings.key_file), f"bundle:{bundle.name}"
        login, password = safe.get(owner, "backup_login"), safe.get(owner, "backup_password")
    with tunnel.socks(server, control.settings) as proxy:
        yield Repository(
            url=f"rest:https://{server.server_name}:{REST_PORT}/{bundle.name}/",
            login=bundle.name,
            login_secret=login,
            password=password,
            proxy=proxy,
            ca_file=control.settings.acme.ca_file,
        )
