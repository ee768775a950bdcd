"""What a check found, and the runner that lets many checks look at once."""

from __future__ import annotations

import ssl
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from provision.errors import PaquetError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

AT_ONCE = 48  # a check mostly waits for the network; a bundle has about so many


class Result(StrEnum):
    """How a check ended; `skipped` means that it could not look, and says why."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: the name of the check, the result, a sentence, what to do.

    `is_blind` where the check itself failed: what else it would have found is not known.
    """

    check: str
    result: Result
    message: str
    hint: str = ""
    is_blind: bool = False

    def as_row(self) -> dict[str, str]:
        """Return it as plain text fields, for a table or JSON."""
        return {
            "check": self.check,
            "result": self.result.value,
            "message": self.message,
            "hint": self.hint,
        }


def read(rows: Iterable[Mapping[str, str]]) -> list[Finding]:
    """Return the findings that `Finding.as_row` wrote."""
    return [
        Finding(row["check"], Result(row["result"]), row["message"], row["hint"]) for row in rows
    ]


@dataclass(frozen=True)
class Check:
    """A look at one thing: `look` yields findings and may fail; its failure becomes a finding."""

    name: str
    look: Callable[[], Iterable[Finding]]


def ok(check: str, message: str) -> Finding:
    """Return the finding that all is well."""
    return Finding(check, Result.OK, message)


def warning(check: str, message: str, hint: str) -> Finding:
    """Return a finding that someone should look at soon."""
    return Finding(check, Result.WARNING, message, hint)


def error(check: str, message: str, hint: str) -> Finding:
    """Return a finding that subscribers suffer from now."""
    return Finding(check, Result.ERROR, message, hint)


def skipped(check: str, message: str) -> Finding:
    """Return that the check could not look, with the reason."""
    return Finding(check, Result.SKIPPED, message)


def run(checks: Sequence[Check]) -> list[Finding]:
    """Let all checks look at the same time; return their findings in the order of the checks."""
    if not checks:
        return []
    with ThreadPoolExecutor(max_workers=min(AT_ONCE, len(checks))) as threads:
        return [finding for findings in threads.map(_findings, checks) for finding in findings]


def found_problems(findings: Iterable[Finding]) -> bool:
    """Whether a command that showed these findings ends with exit code 5."""
    return any(finding.result is Result.ERROR for finding in findings)


def _findings(check: Check) -> list[Finding]:
    findings: list[Finding] = []
    try:
        findings.extend(iter(check.look()))
    except PaquetError as expected:
        findings.append(_blind(error(check.name, expected.message, expected.hint)))
    except (OSError, EOFError) as wrong:
        findings.append(_blind(_no_answer(check.name, _root(wrong))))
    except Exception as bug:  # noqa: BLE001 -- one broken check must not hide what the others found
        said = f"The check itself broke: {type(bug).__name__}: {bug}"
        hint = "Please report this; it is a fault of the program."
        findings.append(_blind(error(check.name, said, hint)))
    return findings


def _blind(finding: Finding) -> Finding:
    return replace(finding, is_blind=True)


def _no_answer(check: str, wrong: BaseException) -> Finding:
    if isinstance(wrong, ssl.SSLError):
        reason = getattr(wrong, "verify_message", "") or wrong.reason or str(wrong)
        return error(check, f"TLS fails: {reason}", "See the findings about certificates.")
    hint = "Is the service running, and does the firewall let this port through from here?"
    return error(check, f"No answer: {str(wrong) or type(wrong).__name__}", hint)


def _root(wrong: BaseException) -> BaseException:
    """Return the failure inside: requests wraps that of urllib3, which wraps that of the socket."""
    inner = (getattr(wrong, "reason", None), *wrong.args[:1], wrong.__cause__)
    cause = next((each for each in inner if isinstance(each, BaseException)), None)
    return _root(cause) if cause else wrong
