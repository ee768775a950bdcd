"""ansible-playbook by hand, on servers that paquet prepared: one role, nothing new, guarded."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from provision.process.commands import Surroundings, run, start
from provision.servers import guard, inventory
from provision.servers.connection import known_hosts
from provision.shipped import share
from provision.workflows.claims import claim
from tests.lab.paquet_runs import paquet
from tests.lab.server_machines import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provision.process.commands import Completed
    from tests.lab.region import Region

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]

SITE = str(Path(sys.executable).parent / "ansible-playbook"), "site.yml"
PLAYBOOKS = Surroundings(folder=share("playbooks"))
NGINX = "/etc/nginx/nginx.conf"
ALTER = f"cp -p {NGINX} /root/nginx.conf; echo '# by hand' >>{NGINX}"
TASK = re.compile(r"^TASK \[(\w+) : ", re.MULTILINE)


@dataclass(frozen=True)
class Hand:
    """Somebody who runs the playbooks about one server, as the docs say."""

    region: Region
    server: str
    given: Path

    def words(self, *more: str) -> list[str]:
        """Return the words of a call."""
        known = known_hosts(self.region.control.settings)
        ssh = f"-o UserKnownHostsFile={known} -o HostKeyAlias={self.server}"
        where = ["-i", str(self.region.folder / "inventory.yml"), "--ssh-common-args", ssh]
        return [*SITE, *where, "-e", f"@{self.given}", *more]

    def run(self, *more: str, check: bool = True) -> Completed:
        """Run to the end."""
        return run(self.words(*more), check=check, surroundings=PLAYBOOKS)


def make_hand(region: Region, server: str, folder: Path) -> Hand:
    """Bring `server` to what paquet wants, and write the variables of runs by hand."""
    config = region.folder / "paquet.toml"
    paquet(config, "server", "deploy", server, "--yes")
    (folder / f"{server}.json").write_text(paquet(config, "server", "variables", server), "utf-8")
    return Hand(region, server, folder / f"{server}.json")


@pytest.fixture(scope="module")
def hand(region: Region, tmp_path_factory: pytest.TempPathFactory) -> Hand:
    return make_hand(region, "bundles1", tmp_path_factory.mktemp("hand"))


@pytest.fixture
def altered(region: Region) -> Iterator[None]:
    """Have somebody change the web server's configuration by hand."""
    region.machine("bundles1").run(["sh", "-c", ALTER])
    yield
    region.machine("bundles1").run(["mv", "/root/nginx.conf", NGINX])


def is_altered(hand: Hand) -> bool:
    return "# by hand" in hand.region.machine("bundles1").run(["cat", NGINX]).stdout


@pytest.mark.parametrize("server", ["bundles1", "backup1"])
def test_after_a_deployment_a_run_by_hand_changes_nothing(
    region: Region, server: str, tmp_path: Path
) -> None:
    said = make_hand(region, server, tmp_path).run().stdout
    recap = said.partition("PLAY RECAP")[2]
    assert re.findall(r"^(\w+) .* changed=0 .* failed=0 ", recap, re.MULTILINE) == [server]
    assert {"packages", "firewall", "certificates", "watch"} <= set(TASK.findall(said))


def test_no_secret_is_among_the_variables(hand: Hand) -> None:
    key_file = hand.region.control.settings.names.acme_key_file
    assert key_file is not None
    assert key_file.read_text("utf-8").strip() not in hand.given.read_text("utf-8")


@pytest.mark.usefixtures("altered")
def test_one_role_is_compared_and_only_then_mended(hand: Hand) -> None:
    said = hand.run("--tags", "nginx", "--check", "--diff").stdout
    assert "\n-# by hand\n" in said
    assert re.search(r"^bundles1 .* changed=1 ", said, re.MULTILINE)
    assert is_altered(hand)
    assert re.search(r"^bundles1 .* changed=1 ", hand.run("--tags", "nginx").stdout, re.MULTILINE)
    assert not is_altered(hand)


def test_a_run_begins_at_any_task(hand: Hand) -> None:
    said = hand.run("--check", "--start-at-task", "dovecot : Configure and run Dovecot").stdout
    assert TASK.findall(said)[0] == "dovecot"
    assert TASK.findall(said)[-1] == "watch"


@pytest.mark.usefixtures("altered")
def test_by_hand_nothing_is_changed_while_paquet_holds_the_server(hand: Hand) -> None:
    control, machine = hand.region.control, hand.region.machine("bundles1")
    host = inventory.find(control.settings.inventory, "bundles1")
    waiting = ["pgrep", "--full", "flock [-]-wait 900 9"]
    words = hand.words("--tags", "nginx")
    with guard.hold(host, control.settings, claim(control, host)):
        by_hand = start(words, surroundings=PLAYBOOKS, stdout=subprocess.PIPE)
        try:
            wait_until(lambda: machine.run(waiting, check=False).stdout != "", seconds=60)
            assert by_hand.poll() is None
            assert is_altered(hand)
        except AssertionError:
            by_hand.kill()
            raise
    said, _ = by_hand.communicate()
    assert by_hand.returncode == 0, said
    assert not is_altered(hand)


@pytest.mark.usefixtures("altered")
def test_by_hand_who_is_not_root_is_refused(hand: Hand) -> None:
    refused = hand.run("--tags", "nginx", "-e", "ansible_become=false", check=False)
    assert refused.returncode != 0
    assert "paquet-guard: modules must run as root here" in refused.stdout
    assert is_altered(hand)
