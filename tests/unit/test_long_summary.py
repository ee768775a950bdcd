from __future__ import annotations

import shutil
from subprocess import CompletedProcess
from typing import TYPE_CHECKING

import pytest

from tests.long import summary
from tests.long.__main__ import run
from tests.long.parts import PARTS

if TYPE_CHECKING:
    from pathlib import Path

SUITE = """<?xml version="1.0"?><testsuites><testsuite name="pytest" errors="0"
 failures="{failures}" skipped="{skipped}" tests="{tests}"
 time="61.4">{cases}</testsuite></testsuites>"""
TOLD = """<testcase name="test_doors"><properties>
<property name="line"
 value="[&quot;imaps, IPv6&quot;, &quot;ban\\nat 12&quot;, &quot;ban&quot;]"/></properties>
</testcase>"""
FAILED = '<testcase name="test_ends"><failure message="it stays&#10;more">why</failure></testcase>'
SKIPPED = '<testcase name="test_kernel"><skipped message="no QEMU here"/></testcase>'
GOOD, BAD, ABSENT, NOT_RUN, *_ = PARTS


def results(folder: Path) -> None:
    for part, cases, failures, skipped, tests in (
        (GOOD, TOLD, 0, 0, 1),
        (BAD, FAILED + TOLD, 1, 0, 2),
        (ABSENT, SKIPPED, 0, 1, 1),
    ):
        text = SUITE.format(cases=cases, failures=failures, skipped=skipped, tests=tests)
        summary.result(folder, part).write_text(text)


def test_a_part_is_done_when_it_ran_whole_and_nothing_failed(tmp_path: Path) -> None:
    results(tmp_path)
    done = [summary.is_good(tmp_path, part) for part in (GOOD, BAD, ABSENT, NOT_RUN)]
    assert done == [True, False, True, False]


def test_a_run_in_which_no_test_was_found_is_not_done(tmp_path: Path) -> None:
    text = SUITE.format(cases="", failures=0, skipped=0, tests=0)
    summary.result(tmp_path, GOOD).write_text(text)
    assert not summary.is_good(tmp_path, GOOD)


@pytest.mark.parametrize(("code", "good"), [(0, True), (2, False), (3, False)])
def test_only_a_run_that_ended_by_itself_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, *, good: bool
) -> None:
    """An interrupted pytest writes what it saw so far, which looks whole; so may one of before."""
    results(tmp_path)

    def interrupted(command: list[str], **_how: object) -> CompletedProcess[str]:
        (beside,) = (word.partition("=")[2] for word in command if word.startswith("--junitxml="))
        shutil.copy(summary.result(tmp_path, ABSENT), beside)
        return CompletedProcess(command, code)

    monkeypatch.setattr("subprocess.run", interrupted)
    run(GOOD, tmp_path, "1")
    assert summary.is_good(tmp_path, GOOD) is good


def test_the_summary_tells_every_part_what_was_measured_and_what_went_wrong(tmp_path: Path) -> None:
    results(tmp_path)
    told = summary.tell(tmp_path, "abc")
    assert all(part.name in told for part in PARTS)
    row = next(line.split() for line in told.splitlines() if line.startswith(BAD.name))
    assert row == [BAD.name, "1", "1", "0", "61"]
    assert "imaps, IPv6  ban at 12  ban\n" in told
    assert "failure: test_ends: it stays\n" in told
    assert "skipped: test_kernel: no QEMU here\n" in told
