"""First contact with a bare machine: the admin user, and the programs that guard the server.

The only room that knows Fabric: what comes later goes through Ansible, which needs Python there.
"""

from __future__ import annotations

import base64
import io
from contextlib import contextmanager
from typing import TYPE_CHECKING

import fabric
import paramiko

from provision.errors import PaquetError
from provision.servers.connection import CONNECT_SECONDS, explain_unreachable
from provision.servers.inventory import SSH_PORT
from provision.servers.outcomes import last_line
from provision.shipped import share

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provision.servers.hostkeys import HostKey
    from provision.servers.inventory import Host

SCRIPT = "bootstrap.sh"
PROGRAMS = (SCRIPT, "guard", "guarded-python", "sitecustomize.py")
CHANGED = "changed: "


def bootstrap(host: Host, login: str, key: HostKey, *, dry_run: bool = False) -> list[str]:
    """Make `host` ready for our plays, logged in as `login`; return what was changed.

    `key` is the confirmed host key: another one is refused. Run again, it changes nothing.
    """
    with _connected(host, login, key) as machine:
        folder = machine.run("umask 077; mktemp -d", hide=True, in_stream=False).stdout.strip()
        for name in PROGRAMS:
            content = (share("playbooks") / "guard" / name).read_bytes()
            machine.put(io.BytesIO(content), f"{folder}/{name}")
        root = "" if login == "root" else "sudo -n "
        words = f"{root}sh {folder}/{SCRIPT}{' --dry-run' if dry_run else ''}"
        said = machine.run(f"{words}; code=$?; rm -rf {folder}; exit $code", **_QUIET)
    if said.exited:
        raise PaquetError(
            f"{host.name} could not be made ready: {last_line(said.stderr) or 'it gave no reason'}",
            "Mend that on the server (often apt: no network, a wrong mirror), then run it again.",
        )
    return [
        line.removeprefix(CHANGED) for line in said.stdout.splitlines() if line.startswith(CHANGED)
    ]


_QUIET = {"hide": True, "warn": True, "in_stream": False}


@contextmanager
def _connected(host: Host, login: str, key: HostKey) -> Iterator[fabric.Connection]:
    """Connect to `host`, deaf to the user's ssh settings and to any other host key."""
    secrets = {"key_filename": str(host.key_file), "look_for_keys": False, "allow_agent": False}
    machine = fabric.Connection(
        host.address,
        user=login,
        port=host.port,
        config=fabric.Config(ssh_config=paramiko.SSHConfig()),
        connect_timeout=CONNECT_SECONDS,
        connect_kwargs=secrets if host.key_file else {},
    )
    named = host.address if host.port == SSH_PORT else f"[{host.address}]:{host.port}"
    blob = paramiko.PKey.from_type_string(key.kind, base64.b64decode(key.blob))
    machine.client.get_host_keys().add(named, key.kind, blob)
    machine.client.set_missing_host_key_policy(paramiko.RejectPolicy())
    try:
        with machine:
            yield machine
    except (OSError, EOFError, paramiko.SSHException) as broken:
        raise explain_unreachable(host.name, str(broken)) from broken
