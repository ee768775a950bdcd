from __future__ import annotations

import json

import pytest

from provision.checks.findings import Finding, Result, run
from provision.checks.inside import inside_check, read_findings
from provision.errors import PaquetError
from provision.servers.connection import explain_unreachable

DISK = {"check": "disk /", "result": "warning", "message": "/ is filled to 91 %", "hint": "Look."}


def test_what_a_server_says_of_itself_are_findings() -> None:
    assert read_findings(json.dumps([DISK])) == [
        Finding("disk /", Result.WARNING, "/ is filled to 91 %", "Look.")
    ]


@pytest.mark.parametrize(
    "said", ["", "no JSON", "{}", json.dumps([{**DISK, "result": "great"}]), "[1]"]
)
def test_what_is_no_report_is_refused(said: str) -> None:
    with pytest.raises(PaquetError, match="cannot be read"):
        read_findings(said)


def test_a_server_that_was_taken_over_commands_no_terminal() -> None:
    (found,) = read_findings(json.dumps([{**DISK, "message": "\x1b]0;x\x07all\nwell" * 1000}]))
    assert found.message.isprintable()
    assert len(found.message) == 500


def test_a_server_that_cannot_be_reached_is_a_finding() -> None:
    def look() -> str:
        raise explain_unreachable("bundles1", "ssh: connect to host bundles1: No route to host")

    (found,) = run([inside_check(look, {})])
    assert (found.check, found.result) == ("ssh", Result.ERROR)
    assert "No route to host" in found.message


def test_a_bundle_whose_backup_the_server_does_not_know_is_an_error() -> None:
    known = {**DISK, "check": "backup b1", "result": "ok"}
    bundles = {"b1": "jeanne.exemple.fr", "b2": "paul.exemple.fr"}
    found = run([inside_check(lambda: json.dumps([known]), bundles)])
    assert [(one.check, one.result) for one in found] == [
        ("backup b1", Result.OK),
        ("backup b2", Result.ERROR),
    ]
    assert "paul.exemple.fr" in found[1].message
