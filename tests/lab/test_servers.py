"""Servers, on a real machine: first contact, plays that leave nothing, one run at a time."""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from provision.errors import PaquetError, UnsafeChange
from provision.lab.lab import what_this_computer_lacks
from provision.servers import deploy, guard, hostkeys, preflight
from provision.servers.connection import Unreachable, known_hosts
from provision.servers.outcomes import PlayFailed
from provision.servers.packed import module_store
from provision.servers.play import Play
from provision.servers.playbooks import run_play
from provision.shipped import share
from tests.lab import server_machines as machines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.lab.server_machines import Machine

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A bare Debian 13 that nobody has prepared."""
    if lacking := what_this_computer_lacks():
        pytest.skip(f"no lab can run here: {lacking}")
    made = machines.make_machine(tmp_path_factory.mktemp("servers"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(made.private))
        yield made
    made.lab.down()
    shutil.rmtree(made.private)


@pytest.fixture(scope="module")
def machine(bare: Machine) -> Machine:
    """The same machine with a small site of two roles."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(deploy, "SITE", bare.playbook("site.yml", machines.SITE))
        bare.prepare()
    return bare


@pytest.fixture
def small_site(bare: Machine, monkeypatch: pytest.MonkeyPatch) -> Machine:
    monkeypatch.setattr(deploy, "SITE", bare.playbook("site.yml", machines.SITE))
    return bare


def test_an_unconfirmed_key_stops_before_anything_is_touched(small_site: Machine) -> None:
    person = replace(small_site.person(), confirm_key=lambda _: False)
    with pytest.raises(PaquetError, match="not confirmed"):
        hostkeys.trust(small_site.host, small_site.settings, "", person.confirm_key)
    with pytest.raises(UnsafeChange):
        hostkeys.trust(small_site.host, small_site.settings, "SHA256:other", lambda _: True)
    assert not known_hosts(small_site.settings).exists()


def test_a_dry_run_says_what_it_would_do_and_does_nothing(small_site: Machine) -> None:
    told = small_site.prepare(dry_run=True)
    assert "make the admin user paquet" in told.bootstrapped
    assert told.deployment is None
    assert small_site.root("ls", "/usr/local/lib/paquet", check=False) == ""


def test_a_new_machine_is_asked_for_no_user_that_it_does_not_have(small_site: Machine) -> None:
    small_site.prepare(dry_run=True)
    assert "Invalid user" not in small_site.root("journalctl", "--unit=ssh", "--output=cat")


def test_a_machine_that_is_not_prepared_says_what_to_run(small_site: Machine) -> None:
    host = replace(small_site.host, user="root")
    with (
        pytest.raises(PaquetError, match="not prepared yet"),
        guard.hold(host, small_site.settings, small_site.claim()),
    ):
        pass


def test_an_unfit_machine_is_not_touched(
    small_site: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(preflight.NEEDS, "bundles", preflight.Needs(10**9, 10**9))
    with pytest.raises(preflight.Unfit, match=r"memory.*disk"):
        small_site.prepare()
    assert small_site.root("ls", "/usr/local/lib/paquet", check=False) == ""


def test_preparing_twice_changes_nothing(machine: Machine, small_site: Machine) -> None:
    again = small_site.prepare()
    assert again.bootstrapped == ()
    assert again.deployment
    assert again.deployment.unchanged == ("one", "two")
    assert machine.root("cat", "/etc/paquet-test-two") == "paquet.test two\n"


def test_nothing_new_visits_no_role(machine: Machine, small_site: Machine) -> None:
    play = deploy.site_play(machine.host, machine.settings)
    done = deploy.deploy(play, small_site.settings, machine.claim())
    assert (done.visited, done.unchanged) == ((), ("one", "two"))


def test_drift_is_found_and_mended_only_when_asked(machine: Machine, small_site: Machine) -> None:
    machine.root("sh", "-c", "echo by hand >/etc/paquet-test-one")
    play = deploy.site_play(machine.host, small_site.settings)
    assert deploy.deploy(play, machine.settings, machine.claim()).changed == 0
    shown = deploy.rehearse(play, machine.settings)
    assert "by hand" in "".join(shown.diffs)
    assert machine.root("cat", "/etc/paquet-test-one") == "by hand\n"

    def visits() -> list[str]:
        kept = ("/var/lib/paquet/calls/one", "/var/lib/paquet/calls/two")
        return [machine.root("head", "-1", path) for path in kept]

    before = visits()
    assert deploy.deploy(play, machine.settings, machine.claim(), drift=True).changed == 1
    assert [new == old for new, old in zip(visits(), before, strict=True)] == [False, True]
    assert machine.root("cat", "/etc/paquet-test-one") == "paquet.test one\n"
    before = visits()
    done = deploy.deploy(play, machine.settings, machine.claim(), drift=True)
    assert (done.changed, done.visited, done.unchanged) == (0, ("one", "two"), ())
    assert visits() == before, "a look is no visit"


def test_after_a_failed_role_the_next_run_goes_on_there(
    machine: Machine, small_site: Machine
) -> None:
    tasks = machine.folder / "roles/two/tasks/main.yml"
    right = tasks.read_text()
    zone = small_site.settings.operator.model_copy(update={"zone": "other.test"})
    changed = machine.settings.model_copy(update={"operator": zone})
    play = deploy.site_play(machine.host, changed)
    tasks.write_text("- name: Break\n  paquet_files: {items: [{path: relative}]}\n")
    with pytest.raises(PlayFailed, match="two: Break"):
        deploy.deploy(play, changed, machine.claim())
    tasks.write_text(right)
    done = deploy.deploy(play, changed, machine.claim())
    assert (done.visited, done.unchanged) == (("two",), ("one",))


def test_who_prepares_again_and_again_is_not_shut_out(machine: Machine) -> None:
    for _ in range(8):
        hostkeys.trust(machine.host, machine.settings, "", lambda _key: False)
    assert preflight.examine(machine.host, machine.settings)[1]["user"] == "0"


def test_a_changed_host_key_is_a_hard_stop(machine: Machine) -> None:
    path = known_hosts(machine.settings)
    right = path.read_text()
    other = Path("/etc/ssh/ssh_host_ed25519_key.pub")
    blob = (
        other.read_text().split()[1] if other.exists() else "AAAAC3NzaC1lZDI1NTE5AAAAIA" + "A" * 42
    )
    path.write_text(f"bundles1 ssh-ed25519 {blob}\n")
    try:
        with pytest.raises(UnsafeChange):
            machine.prepare()
        with pytest.raises(UnsafeChange):
            run_play(
                Play(machine.playbook("ping.yml", machines.PING), [machine.host]), machine.settings
            )
    finally:
        path.write_text(right)


def test_an_absent_machine_is_unreachable_not_failed(machine: Machine) -> None:
    absent = replace(machine.host, address=machine.host.address.rpartition(".")[0] + ".99")
    with pytest.raises(Unreachable):
        run_play(Play(machine.playbook("ping.yml", machines.PING), [absent]), machine.settings)


def test_a_module_is_packed_once_here_and_compiled_once_there(machine: Machine) -> None:
    def kept() -> tuple[dict[str, int], list[str]]:
        run_play(
            Play(machine.playbook("ping.yml", machines.PING), [machine.host]), machine.settings
        )
        store = module_store(machine.settings, share("playbooks"))
        assert store is not None
        packed = {path.name: path.stat().st_mtime_ns for path in store.iterdir()}
        folders = machine.root("find", "/var/cache/paquet/modules", "-maxdepth", "1").split()
        assert machine.root("find", *folders[1:], "-name", "basic.*.pyc")
        return packed, folders

    first = kept()
    assert any("ping" in name for name in first[0])
    assert kept() == first


SECRET = """
- name: A secret
  hosts: bundles
  gather_facts: false
  tasks:
    - name: Read it
      ansible.builtin.set_fact:
        secret: "{{ (lookup('ansible.builtin.file', secrets_file) | from_json).canary }}"
      no_log: true
    - name: Use it
      paquet_files: {items: [{path: /root/canary, content: "{{ secret }}"}]}
      no_log: true
    - name: Report
      tell: {length: "{{ secret | length }}"}
"""
TELL = """
from ansible.module_utils.basic import AnsibleModule
module = AnsibleModule({"length": {"type": "int"}})
module.exit_json(paquet=module.params)
"""


def test_a_secret_is_on_the_server_and_nowhere_else(machine: Machine) -> None:
    canary = "c4n4ry" + os.urandom(8).hex()
    seen: list[str] = []
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.02):
            seen.extend(machines.processes(canary))

    watcher = threading.Thread(target=watch)
    watcher.start()
    (machine.folder / "library").mkdir()
    machine.playbook("library/tell.py", TELL)
    book = machine.playbook("secret.yml", SECRET)
    play = Play(book, [machine.host], {}, {"canary": SecretStr(canary)})
    result = run_play(play, machine.settings)
    over.set()
    watcher.join()
    assert machine.root("cat", "/root/canary") == canary
    assert result.facts == {"length": len(canary)}
    assert not seen
    assert not list(machine.private.iterdir())
    assert canary not in repr(play)


def test_a_second_run_waits_and_is_told_for_whom(machine: Machine) -> None:
    told: list[str] = []
    with guard.hold(machine.host, machine.settings, machine.claim()) as first:
        claim = replace(machine.claim(wait=1), on_wait=told.append)
        with (
            pytest.raises(guard.ServerBusy, match=str(os.getpid())),
            guard.hold(machine.host, machine.settings, claim),
        ):
            pass
    assert str(os.getpid()) in told[0]
    with guard.hold(machine.host, machine.settings, machine.claim()) as second:
        assert second.permit.fence == first.permit.fence + 1


def test_a_registry_restored_from_last_week_is_refused(machine: Machine) -> None:
    with guard.hold(machine.host, machine.settings, machine.claim()) as newest:
        pass
    fence = newest.permit.fence
    for give in (lambda _: fence, lambda _: fence - 1):
        claim = guard.Claim(give)
        with (
            pytest.raises(UnsafeChange, match="older than bundles1"),
            guard.hold(machine.host, machine.settings, claim),
        ):
            pass


def test_a_killed_run_leaves_no_process_no_file_and_no_lock(machine: Machine) -> None:
    with machines.old_run(machine):
        pass  # and it is killed by SIGKILL
    time.sleep(2)
    assert not machines.processes(str(machine.folder))
    assert not machines.processes(str(machine.lab.ssh_key))
    assert not list(machine.private.glob("*/secrets.json"))
    before = machines.count_changes(machine)
    with guard.hold(machine.host, machine.settings, machine.claim(wait=5)):
        assert machines.count_changes(machine) == before


def test_a_paused_run_is_overtaken_and_changes_nothing_any_more(machine: Machine) -> None:
    with machines.old_run(machine, silence=2 * guard.BEAT_SECONDS) as old:
        os.kill(old, signal.SIGSTOP)
        with guard.hold(machine.host, machine.settings, machine.claim(wait=60)):
            before = machines.count_changes(machine)
            time.sleep(1)
            os.kill(old, signal.SIGCONT)
            _, status = os.waitpid(old, 0)
            assert machines.count_changes(machine) == before
    assert os.waitstatus_to_exitcode(status) != 0
    said = (machine.folder / "old.log").read_text()
    assert "overtaken" in said or "lost its lock" in said


def test_who_comes_after_a_killed_run_is_told_that_its_work_goes_on(machine: Machine) -> None:
    told: list[str] = []
    unit = "left-by-a-test.service"
    machine.root("systemd-run", f"--unit={unit}", "flock", "/run/paquet/change.lock", "sleep", "4")
    with guard.hold(machine.host, machine.settings, replace(machine.claim(), on_wait=told.append)):
        assert "inactive" in machine.root("systemctl", "is-active", unit, check=False)
    assert told == ["what an older run began goes on"]


def test_by_hand_a_module_waits_for_the_run(machine: Machine) -> None:
    python = "/usr/local/lib/paquet/guarded-python"
    slow = ["timeout", "1", python, "-c", "print('in')"]
    with guard.hold(machine.host, machine.settings, machine.claim()):
        assert machine.root(*slow, check=False) == ""
    assert machine.root(*slow) == "in\n"
