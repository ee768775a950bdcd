from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from provision.checks.findings import (
    Check,
    Result,
    error,
    found_problems,
    ok,
    run,
    skipped,
    warning,
)
from provision.errors import PaquetError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provision.checks.findings import Finding


def test_a_crashed_check_is_a_finding_and_the_others_are_heard() -> None:
    def broken() -> Iterator[Finding]:
        yield ok("first", "seen before the crash")
        raise KeyError("lost")

    found = run([Check("broken", broken), Check("well", lambda: [ok("well", "fine")])])
    assert [(finding.check, finding.result) for finding in found] == [
        ("first", Result.OK),
        ("broken", Result.ERROR),
        ("well", Result.OK),
    ]
    assert "KeyError" in found[1].message


def test_an_expected_failure_keeps_its_sentence_and_hint() -> None:
    def refused() -> Iterator[Finding]:
        raise PaquetError("No such name", "Publish it.")

    (finding,) = run([Check("names", refused)])
    assert finding == replace(error("names", "No such name", "Publish it."), is_blind=True)


def test_silence_is_an_error_with_a_hint() -> None:
    def silent() -> Iterator[Finding]:
        raise TimeoutError

    (finding,) = run([Check("smtp", silent)])
    assert (finding.result, finding.message) == (Result.ERROR, "No answer: TimeoutError")
    assert "firewall" in finding.hint


def test_checks_look_at_the_same_time_and_keep_their_order() -> None:
    together = threading.Barrier(20, timeout=10)

    def meet(number: int) -> Iterator[Finding]:
        together.wait()
        time.sleep((20 - number) / 1000)
        yield ok(str(number), "met")

    found = run([Check(str(n), lambda n=n: meet(n)) for n in range(20)])  # type: ignore[misc]
    assert [finding.check for finding in found] == [str(n) for n in range(20)]
    assert not found_problems(found)


def test_only_errors_are_problems() -> None:
    assert run([]) == []
    assert not found_problems([ok("a", ""), warning("b", "", ""), skipped("c", "")])
    assert found_problems([ok("a", ""), error("b", "", "")])


def test_a_finding_is_a_row_of_text() -> None:
    assert warning("dns PTR", "It differs", "Set it.").as_row() == {
        "check": "dns PTR",
        "result": "warning",
        "message": "It differs",
        "hint": "Set it.",
    }
