from __future__ import annotations

from dataclasses import replace

from pydantic import SecretStr

from provision.checks.findings import Result
from provision.checks.inside import inside_check
from provision.checks.suite import check_backup_server, check_bundle, check_server
from provision.checks.target import Ports
from provision.dns.records import Record
from tests.unit.checks.loopback import DOMAIN, NOW, a_target, resolver

INSIDE = inside_check(lambda: "[]", {})
CLOSED = Ports(*([1] * 8))


def test_a_dead_bundle_is_told_quickly_and_by_every_check() -> None:
    record = Record(f"{DOMAIN}.", "A", 60, ("127.0.0.1",))
    with resolver() as asked:
        target = a_target(
            resolver=asked,
            ports=CLOSED,
            login=f"alice@{DOMAIN}",
            secret=SecretStr("a" * 24),
            records=(record,),
        )
        found = check_bundle(target, NOW, round_trip=True)
    by_name = {finding.check: finding for finding in found}
    assert by_name["mail round trip"].message == "No answer: [Errno 111] Connection refused"
    assert by_name["https"].message == "No answer: [Errno 111] Connection refused"
    assert by_name[f"dns A {DOMAIN}"].result is Result.OK
    assert all(finding.hint for finding in found if finding.result is Result.ERROR)
    assert not [finding for finding in found if "broke" in finding.message]


def test_a_server_is_looked_at_without_its_web_side() -> None:
    with resolver() as asked:
        target = replace(a_target(resolver=asked, ports=CLOSED), host=DOMAIN)
        names = {finding.check for finding in check_server(target, INSIDE, NOW)}
    assert "certificate imaps" in names
    assert not [name for name in names if "http" in name]


def test_a_backup_server_that_does_not_answer_is_a_warning() -> None:
    with resolver() as asked:
        target = replace(a_target(resolver=asked, ports=CLOSED), host=DOMAIN)
        found = check_backup_server(target, INSIDE, NOW)
    store = next(one for one in found if one.check == "backup store")
    assert store.result is Result.WARNING
    assert "port 1, does not answer from here" in store.message
    assert not [one for one in found if one.result is Result.ERROR]
