"""Preflight: each reason to refuse a machine, told before it is touched."""

from __future__ import annotations

import pytest

from provision.servers import preflight
from provision.servers.connection import explain_unreachable
from provision.servers.inventory import Host
from provision.servers.preflight import Unfit, Verdict

NOW = 1_800_000_000.0
FIT = {
    "os": "debian",
    "version": "13",
    "init": "systemd",
    "user": "0",
    "sudo": "no",
    "memory": str(2_000_000),
    "disk": str(40 * 1024 * 1024),
    "clock": str(int(NOW)),
    "rc": "4",
    "smtp": "yes",
}
BUNDLES = frozenset({"all", "bundles"})
HOST = Host("one", "192.0.2.1", "one.test", groups=BUNDLES)


def verdicts(changes: dict[str, str], groups: frozenset[str] = BUNDLES) -> dict[str, Verdict]:
    found = preflight.judge({**FIT, **changes}, groups, NOW)
    return {finding.subject: finding.verdict for finding in found}


def test_who_was_shut_out_for_a_while_is_told_to_wait() -> None:
    said = "kex_exchange_identification: Connection closed by remote host\nConnection closed by x\n"
    assert "a minute" in explain_unreachable("one", said).hint
    assert "a minute" not in explain_unreachable("one", "ssh: Connection refused\n").hint


def test_a_fit_machine_is_fine() -> None:
    assert set(verdicts({}).values()) == {Verdict.FINE}
    preflight.refuse_unfit(HOST, preflight.judge(FIT, BUNDLES, NOW))


@pytest.mark.parametrize(
    ("subject", "changes"),
    [
        ("system", {"version": "12"}),
        ("system", {"os": "ubuntu"}),
        ("system", {"init": "bash"}),
        ("right", {"user": "1000"}),
        ("memory", {"memory": "900000"}),
        ("memory", {"memory": ""}),
        ("disk", {"disk": "1000"}),
        ("clock", {"clock": str(int(NOW) + 300)}),
        ("clock", {"clock": str(int(NOW) - 300)}),
    ],
)
def test_an_unfit_machine_is_refused(subject: str, changes: dict[str, str]) -> None:
    assert verdicts(changes)[subject] is Verdict.REFUSED
    with pytest.raises(Unfit) as refused:
        preflight.refuse_unfit(HOST, preflight.judge({**FIT, **changes}, BUNDLES, NOW))
    assert "was not touched" in refused.value.message
    assert refused.value.hint


def test_a_blocked_mail_port_and_a_slow_shell_are_warnings() -> None:
    assert verdicts({"smtp": "no"})["mail"] is Verdict.WARNING
    assert verdicts({"rc": "150"})["shell"] is Verdict.WARNING


def test_a_backup_server_needs_less_and_sends_no_mail() -> None:
    small = {"memory": "500000", "disk": str(6 * 1024 * 1024)}
    found = verdicts(small, frozenset({"backup"}))
    assert set(found.values()) == {Verdict.FINE}
    assert "mail" not in found


def test_sudo_is_as_good_as_root() -> None:
    assert verdicts({"user": "1000", "sudo": "yes"})["right"] is Verdict.FINE


def test_nothing_read_refuses_and_does_not_break() -> None:
    found = {finding.subject: finding.verdict for finding in preflight.judge({}, BUNDLES, NOW)}
    assert found["system"] is Verdict.REFUSED
