"""What other people's tools say of the servers: testssl.sh per port, ssh-audit, lynis."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from provision.lab.machines import Machine
    from tests.lab.region import Region

    Tell = Callable[[str, object, object], None]

pytestmark = pytest.mark.lab
LYNIS_WANTED = 80
REPORT = "/run/testssl.json"
# Suites that hide nothing, prove nobody, or are weak; or that nobody here needs.
FORBIDDEN_LISTS = {"cipherlist_NULL", "cipherlist_aNULL", "cipherlist_EXPORT", "cipherlist_LOW"}
FORBIDDEN_LISTS |= {"cipherlist_3DES_IDEA", "cipherlist_OBSOLETED"}
FORBIDDEN = re.compile(r"NULL|anon|EXPORT|RC4|DES|CBC|CAMELLIA|ARIA|SEED|IDEA|CCM|_SHA\b")
BAD = {"LOW", "MEDIUM", "HIGH", "CRITICAL"}
STARTTLS = {25: ("-t", "smtp"), 587: ("-t", "smtp"), 4190: ("-t", "sieve")}
ASKED = ("--protocols", "--std", "--each-cipher")


@pytest.fixture(scope="module")
def tools(region: Region) -> Machine:
    """A machine of the internet that has the tools."""
    machine = region.machine("internet")
    install(machine, "testssl.sh", "ssh-audit", "bsdextrautils", "procps")
    return machine


@pytest.fixture(scope="module", autouse=True)
def neighbourly(region: Region) -> Iterator[None]:
    """Let the machine of the tools see the backup server's port, which is closed to it."""
    address = region.lab.address("internet")
    rule = ["inet", "paquet", "incoming", "ip", "saddr", address, "tcp", "dport", "8000", "accept"]
    backup = region.machine("backup1")
    backup.run(["nft", "insert", "rule", *rule])
    try:
        yield
    finally:
        backup.run(["systemctl", "reload", "nftables"])


def install(machine: Machine, *packages: str) -> None:
    """Install Debian packages."""
    get = "DEBIAN_FRONTEND=noninteractive timeout 300 apt-get -qq"
    words = f"{get} update && {get} install -y --no-install-recommends {' '.join(packages)}"
    machine.run(["sh", "-c", words])


@pytest.mark.parametrize("port", [25, 465, 587, 993, 4190, 443, 8000])
def test_tls_offers_what_mozilla_calls_intermediate_and_nothing_else(
    region: Region, tools: Machine, port: int, tell: Tell, request: pytest.FixtureRequest
) -> None:
    name = "backup1" if port == 8000 else "bundles1"
    host = request.getfixturevalue("light").host if port == 443 else f"{name}.paquet.test"
    how = [*STARTTLS.get(port, ()), "--ip", region.lab.address(name), "--sneaky", "--quiet"]
    tools.run(["rm", "-f", REPORT])
    tools.run(["testssl", *ASKED, *how, "--jsonfile", REPORT, f"{host}:{port}"], check=False)
    found = json.loads(tools.run(["cat", REPORT]).stdout)
    problems = [one for one in found if one["severity"] in {"WARN", "FATAL"}]
    ciphers = {one["finding"] for one in found if one["id"].startswith("cipher_x")}
    old = [one["id"] for one in found if one["id"] in {"SSLv2", "SSLv3", "TLS1", "TLS1_1"}]
    offered = [one["id"] for one in found if one["id"] in old and one["severity"] in BAD]
    weak = [one["id"] for one in found if one["id"] in FORBIDDEN_LISTS and one["severity"] in BAD]
    forbidden = sorted(one for one in ciphers if FORBIDDEN.search(one.split()[-1]))
    tell(f"testssl.sh, port {port}", f"{len(ciphers)} suites; {forbidden + weak + offered}", "[]")
    assert ciphers, problems
    assert len(old) == 4
    assert not forbidden
    assert not weak + offered


@pytest.mark.parametrize("name", ["bundles1", "backup1"])
def test_ssh_audit_finds_nothing(region: Region, tools: Machine, name: str, tell: Tell) -> None:
    address = region.lab.address(name)
    # The flood that it can send too is answered by a penalty: sshd would not talk to us then.
    said = tools.run(["ssh-audit", "--json", "--skip-rate-test", address], check=False).stdout
    audit = json.loads(said)
    kinds = [algorithm for kind in ("kex", "key", "enc", "mac") for algorithm in audit[kind]]
    noted = {one["algorithm"]: one.get("notes", {}) for one in kinds}
    fails = sorted(one for one, notes in noted.items() if notes.get("fail"))
    warned = sorted(one for one, notes in noted.items() if notes.get("warn"))
    tell(f"ssh-audit, {name}", f"{len(noted)} algorithms; fail {fails}, warn {warned}", "none")
    assert noted
    assert not fails
    assert not warned


@pytest.mark.parametrize("name", ["bundles1", "backup1"])
def test_lynis_gives_at_least_eighty(region: Region, name: str, tell: Tell) -> None:
    server = region.machine(name)
    install(server, "lynis")
    try:
        server.run(["lynis", "audit", "system", "--quick", "--no-colors"], check=False)
        report = server.run(["cat", "/var/log/lynis-report.dat"]).stdout
    finally:
        server.run(["apt-get", "-qq", "purge", "-y", "lynis"])
        server.run(["rm", "-f", "/var/log/lynis-report.dat", "/var/log/lynis.log"])
    index = int(re.findall(r"^hardening_index=(\d+)", report, re.MULTILINE)[0])
    warnings = re.findall(r"^warning\[\]=([^|]+)", report, re.MULTILINE)
    tell(f"lynis, {name}", f"{index}, warnings {warnings}", f"{LYNIS_WANTED} or more, none")
    assert index >= LYNIS_WANTED
    assert not warnings
