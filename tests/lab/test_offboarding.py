"""A bundle from its closing to the last trace of it, beside one that lives on."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from difflib import unified_diff
from typing import TYPE_CHECKING

import pytest

from provision.errors import UnsafeChange
from provision.process.commands import CommandFailed
from provision.servers import artifacts
from provision.workflows import bundles, checking, zones
from tests.lab import mail_clients as mail
from tests.lab.contract.clients import Clients, files_url
from tests.lab.paquet_runs import kill_at, paquet
from tests.lab.pictures import server_picture

if TYPE_CHECKING:
    from pathlib import Path

    from tests.lab.region import Delivered, Region

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1200)]
UNAVAILABLE = 503
ERASE = ("erase", "--now", "--why", "has everything", "--yes")
# The light one has a domain of its own, and with it a certificate of its own.
DOMAINS = {"light": "association.test", "nextcloud": "partie.paquet.test"}
# Where a name may be found: paths, texts, units, users, groups, databases. Journals expire, and the
# next change of a user overwrites /etc/passwd- and its like, which hold the random name alone.
TRACES = r"""
export LC_ALL=C
find / -xdev \( -path /proc -o -path /sys -o -path /var/log \) -prune -o \
    \( -name '*NAME*' -o -name '*DOMAIN*' \) -print
find /run /dev/shm -name '*NAME*' -o -name '*DOMAIN*'
grep -rIlE --exclude={passwd,group,shadow,gshadow}- 'NAME|DOMAIN' /etc /srv /run/paquet \
    /var/lib/paquet /var/lib/systemd /var/lib/dovecot /var/spool/postfix \
    2>/dev/null
systemctl list-units --all --plain --no-legend --no-pager '*NAME*'
getent passwd NAME
getent group NAME
if systemctl --quiet is-active postgresql; then
  runuser -u postgres -- pg_dumpall | grep -aE 'NAME|DOMAIN'
fi
true
"""


@dataclass(frozen=True)
class Leaver:
    """A delivered bundle with a file of its owner's, and its server as it was before the order."""

    delivered: Delivered
    before: str
    clients: Clients

    def paquet(self, *words: str) -> str:
        """Run `paquet bundle` about it."""
        verb, *others = words
        config = self.delivered.region.folder / "paquet.toml"
        return paquet(config, "bundle", verb, self.delivered.domain, *others)

    @property
    def login(self) -> mail.Device:
        """Its first device, as mail programs know it."""
        return mail.Device("", self.delivered.address, self.delivered.secret)

    def traces(self) -> dict[str, list[str]]:
        """Return what still names it, on its server and on its backup server."""
        return {name: traces(self.delivered, name) for name in ("bundles1", "backup1")}


def traces(delivered: Delivered, machine: str) -> list[str]:
    script = TRACES.replace("NAME", delivered.name).replace("DOMAIN", delivered.domain)
    run = delivered.region.machine(machine).run(["bash", "-c", script])
    return run.stdout.splitlines()


@pytest.fixture(params=sorted(DOMAINS))
def leaver(
    request: pytest.FixtureRequest, region: Region, light: Delivered, tmp_path: Path
) -> Leaver:
    cloud = str(request.param)
    if cloud == "nextcloud" and not artifacts.cached(region.control.settings, "nextcloud"):
        pytest.skip("no Nextcloud archive is in the cache: see `paquet artifact --help`")
    assert light.domain not in DOMAINS.values()
    before = server_picture(region.machine("bundles1"))
    delivered = region.order(DOMAINS[cloud], cloud=cloud).with_neighbour()
    clients = Clients(delivered, delivered.secret, tmp_path)
    here = tmp_path / "été.txt"
    here.write_text("Grüße", encoding="utf-8")
    clients.rclone("copyto", str(here), "cloud:été.txt")
    return Leaver(delivered, before, clients)


def test_a_bundle_is_closed_taken_along_and_erased_without_a_trace(
    leaver: Leaver, light: Delivered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivered, region = leaver.delivered, leaver.delivered.region
    monkeypatch.setattr(socket, "getaddrinfo", mail.tell_names(delivered, socket.getaddrinfo))
    subject = mail.mark()
    mail.send(delivered, leaver.login, delivered.neighbour, subject)
    assert min(map(len, leaver.traces().values())) > 0, "the search for traces finds nothing"

    leaver.paquet("close", "--why", "moves away", "--yes")
    assert leaver.clients.status("PROPFIND", files_url(delivered)) == UNAVAILABLE
    assert not mail.may_log_in(delivered, leaver.login)
    leaver.paquet("export", "--to", str(tmp_path / "export"), "--yes")
    (file,) = (tmp_path / "export").rglob("été.txt")
    assert file.read_text(encoding="utf-8") == "Grüße"
    assert subject in letters_in(tmp_path / "export")

    with pytest.raises(CommandFailed) as refused:
        leaver.paquet("erase", "--yes")
    assert refused.value.completed.returncode == UnsafeChange.exit_code
    words = ["bundle", "erase", delivered.domain, *ERASE[1:]]
    machine, look = region.machine("bundles1"), ["test", "-e", f"/srv/mail/{delivered.domain}"]
    kill_at(
        region.folder / "paquet.toml",
        "No mail, cloud",
        words,
        once=lambda: machine.run(look, check=False).returncode,
    )
    assert bundles.find(region.control, delivered.domain).state == "closed"
    leaver.paquet(*ERASE)

    assert leaver.traces() == {"bundles1": [], "backup1": []}
    lines = (leaver.before.splitlines(), server_picture(region.machine("bundles1")).splitlines())
    assert list(unified_diff(*lines, "before", "after", n=0)) == []
    assert zones.ending(delivered.bundle, region.control.settings).is_empty
    assert not mail.may_log_in(delivered, leaver.login)
    found = checking.check_bundle(region.control, light.bundle, light.enrolled.secret)
    assert [finding for finding in found if finding.result == "error"] == []


def letters_in(folder: Path) -> str:
    """Return the text of all letters below a folder."""
    letters = [path for path in folder.rglob("Maildir/*/*") if path.is_file()]
    return "".join(path.read_text(encoding="utf-8", errors="replace") for path in letters)


def test_a_domain_that_was_erased_can_be_ordered_again(region: Region) -> None:
    config, domain = region.folder / "paquet.toml", "encore.paquet.test"
    first = region.order(domain)
    paquet(config, "bundle", "close", domain, "--why", "a test", "--yes")
    paquet(config, "bundle", "erase", domain, *ERASE[1:])
    again = region.order(domain)
    assert (again.address, again.name != first.name) == (first.address, True)
