"""What a server says of itself: its own findings, read from what it wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from provision.checks.findings import Check, Finding, error
from provision.errors import PaquetError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

MOST_LETTERS = 500
FINDINGS = TypeAdapter(list[Finding])


def read_findings(said: str) -> list[Finding]:
    """Given what the server's program printed (JSON), return its findings.

    A server that was taken over writes what it likes: it is one more text from elsewhere, cut and
    stripped of what a terminal would obey.
    """
    try:
        findings = FINDINGS.validate_json(said)
    except ValidationError:
        raise PaquetError(
            "The server's own report cannot be read", "Deploy the server again."
        ) from None
    return [
        Finding(
            _plain(finding.check), finding.result, _plain(finding.message), _plain(finding.hint)
        )
        for finding in findings
    ]


def inside_check(look: Callable[[], str], bundles: Mapping[str, str]) -> Check:
    """Return the check of a server from inside; `look` asks it, `bundles` live there.

    That nobody could look is a finding too.
    """

    def findings() -> Iterable[Finding]:
        reported = read_findings(look())
        return [*reported, *unguarded(reported, bundles)]

    return Check("ssh", findings)


def unguarded(findings: Iterable[Finding], bundles: Mapping[str, str]) -> list[Finding]:
    """Return an error for each of `bundles` (by name, its domain) that has no backup there."""
    seen = {finding.check for finding in findings}
    return [
        error(
            f"backup {name}",
            f"The bundle of {domain} is not backed up there",
            f"`paquet backup run {domain}` shows what is wrong.",
        )
        for name, domain in bundles.items()
        if f"backup {name}" not in seen
    ]


def _plain(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable())[:MOST_LETTERS]
