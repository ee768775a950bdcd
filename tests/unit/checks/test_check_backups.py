from __future__ import annotations

import socket
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from provision.checks.backups import Snapshots, check_backup, store_checks
from provision.checks.findings import Result, run
from provision.checks.target import Ports
from tests.unit.checks.loopback import (
    MAIL_HOST,
    Authority,
    Reply,
    a_target,
    resolver,
    web_server,
)

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("hours", "result", "told"),
    [
        (0, Result.OK, "0 hours"),
        (25, Result.OK, "25 hours"),
        (30, Result.WARNING, "30 hours"),
        (80, Result.ERROR, "3 days"),
    ],
)
def test_a_backup_is_judged_by_its_age(hours: int, result: Result, told: str) -> None:
    finding = check_backup(Snapshots(7, NOW - timedelta(hours=hours)), NOW)
    assert (finding.result, finding.message) == (
        result,
        f"The last of 7 snapshots is {told} old",
    )


def test_no_backup_is_an_error() -> None:
    finding = check_backup(Snapshots(0, None), NOW)
    assert finding.result is Result.ERROR
    assert "paquet backup run" in finding.hint


@pytest.mark.parametrize(("status", "result"), [(401, Result.OK), (200, Result.ERROR)])
def test_a_store_that_anybody_may_read_is_an_error(
    tmp_path: Path, status: int, result: Result
) -> None:
    authority = Authority(tmp_path)
    with (
        resolver() as asked,
        web_server(lambda _: Reply(status), authority.server(MAIL_HOST)) as port,
    ):
        target = replace(
            a_target(resolver=asked, ports=Ports(store=port), ca_file=authority.file),
            host=MAIL_HOST,
        )
        found = {one.check: one.result for one in run(store_checks(target, NOW))}
    assert found == {
        "certificate backup store": Result.OK,
        "old TLS backup store": Result.OK,
        "backup store": result,
    }


@pytest.mark.parametrize(
    ("answer", "result"),
    [(TimeoutError(), Result.SKIPPED), (ConnectionRefusedError(), Result.WARNING)],
)
def test_a_store_that_the_firewall_closes_to_us_is_not_a_dead_one(
    monkeypatch: pytest.MonkeyPatch, answer: OSError, result: Result
) -> None:
    def connect(*_: object, **__: object) -> None:
        raise answer

    monkeypatch.setattr(socket, "create_connection", connect)
    (found,) = run(store_checks(replace(a_target(), host="192.0.2.1"), NOW))
    assert found.result is result
