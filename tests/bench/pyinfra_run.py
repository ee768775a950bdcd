"""The same states, asked of pyinfra: files with owner and mode, units, packages."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from provision.lab.machines import Machine

FILES = """
find /etc/nginx /etc/postfix /etc/dovecot /etc/rspamd /etc/paquet /usr/local/lib/paquet \
    /etc/nftables.conf /etc/fail2ban/jail.d /etc/fail2ban/filter.d /etc/ssh/sshd_config.d \
    /etc/systemd/system /srv /var/lib/paquet -newer /var/lib/dpkg/info/base-files.list \
    \\( -type f -o -type d \\) -printf '%y %m %u %g %p\\n' | grep -v certificates | head -250
"""
UNITS = ["nginx", "postgresql", "postfix", "dovecot", "rspamd", "ssh", "nftables", "fail2ban"]


def managed(machine: Machine, packages: list[str]) -> tuple[list[str], list[str], list[str]]:
    """Return the files (kind, mode, owner, group, path), units and packages of a server."""
    files = machine.run(["sh", "-c", FILES]).stdout.splitlines()
    return files, UNITS, packages


def deploy_script(files: list[str], units: list[str], packages: list[str]) -> str:
    """Return a pyinfra deploy that asks for these states."""
    return f"""
import json
from pyinfra.operations import apt, files, systemd

for line in json.loads({json.dumps(json.dumps(files))}):
    kind, mode, user, group, path = line.split(" ", 4)
    ask = files.directory if kind == "d" else files.file
    ask(path=path, mode=mode, user=user, group=group)
for unit in {units!r}:
    systemd.service(service=unit, running=True, enabled=None)
apt.packages(packages={packages!r})
"""


def command(key: Path, address: str, script: Path) -> list[str]:
    """Return the words that run the deploy."""
    pyinfra = Path(sys.executable).parent / "pyinfra"
    login = ["--user", "root", "--key", str(key), "--data", "ssh_known_hosts_file=/dev/null"]
    trust = ["--data", "ssh_strict_host_key_checking=no"]
    return [str(pyinfra), "--yes", *login, *trust, address, str(script)]
