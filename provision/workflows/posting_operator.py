"""Letters to the operator: once a day what changed and needs a person, what is severe at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import exists, select
from sqlalchemy.orm import aliased

from provision import database
from provision.languages import spoken
from provision.post import outbox
from provision.post.outbox import NewLetter, Recipient
from provision.registry import findings, states
from provision.registry.findings import LookedAt
from provision.registry.models import Bundle, Event, Run
from provision.registry.runs import FAILED
from provision.rendering import render
from provision.servers import inventory
from provision.workflows.posting_words import Writers

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

    from provision.errors import PaquetError
    from provision.registry.models import KnownFinding
    from provision.workflows.control import Control

OPERATOR, TOLD = "operator", "told"
DAILY, SEVERE, TROUBLE = "daily", "severe", "post"


def at_once(control: Control, session: Session, new: Sequence[KnownFinding]) -> bool:
    """Write what is severe among new findings, in their own unit of work; return whether it did.

    What is not written counts as not told: the letter of the day tells it.
    """
    severe = [finding for finding in new if finding.result == findings.SEVERE]
    if not severe or control.settings.post.since is None:
        return False
    session.flush()
    at = control.clock()
    # With the moment: what was mended, or eased, and is severe again the same day is told again.
    key = f"{OPERATOR}:{SEVERE}:{severe[0].id}:{at.isoformat()}"
    words = {"new": _described(session, severe), "failed": [], "held": [], "mended": []}
    if not _write(control, session, key, {**words, "still": 0}):
        return False
    for finding in severe:
        finding.told_at = at
    return True


def note_trouble(control: Control, part: str, wrong: PaquetError | None) -> None:
    """Keep that a part of the post does not work, or does again: it is told once, day by day.

    Not at once: such a letter would wait for what is broken.
    """
    row = {"check": TROUBLE, "result": "warning", "message": "", "hint": ""}
    if wrong is not None:
        row |= {"message": wrong.message, "hint": wrong.hint}

    def work(session: Session) -> None:
        looked = LookedAt(f"post:{part}", [row] if wrong else [])
        findings.note(session, looked, control.clock())

    database.retried(control.engine, work)


def daily(control: Control) -> int:
    """Write the letter of the day where something changed; return how many things it tells."""

    def work(session: Session) -> int:
        if control.settings.post.since is None:
            return 0
        at, since = control.clock(), _last(session)
        _close_gone(control, session)
        new, over = findings.untold(session), findings.mended(session)
        failed, held = _failed(session, since), outbox.stuck_untold(session)
        count = len(new) + len(over) + len(failed) + len(held)
        key = f"{OPERATOR}:{DAILY}:{control.today()}"
        words = {
            "new": _described(session, new),
            "mended": _described(session, over),
            "failed": failed,
            "held": [letter.id for letter in held],
            "still": findings.still_wrong(session),
        }
        if not count or not _write(control, session, key, words):
            return 0
        for finding in new:
            finding.told_at = at
        for finding in over:
            finding.over_told_at = at
        for letter in held:
            letter.told_at = at
        states.record(session, OPERATOR, TOLD, control.told())
        return count

    return database.retried(control.engine, work)


def _write(control: Control, session: Session, key: str, words: dict[str, object]) -> bool:
    operator = control.settings.operator
    language = spoken(operator.language)
    said = render(f"post/operator.{language}.txt", {"zone": operator.zone, **words})
    subject, _, body = said.partition("\n")
    sender = Writers(session, control.settings, control.today()).operator
    to = Recipient(operator.name, operator.contact, language)
    words_of = (subject.strip(), body.strip() + "\n")
    letter = NewLetter(key, OPERATOR, control.today(), sender, to, *words_of, urgent=True)
    return outbox.write(session, letter, control.clock())


def _close_gone(control: Control, session: Session) -> None:
    """Let go of what was found in bundles and servers that are no more: nobody looks there."""
    bundles = session.scalars(select(Bundle.name).where(Bundle.state != "erased"))
    there = {f"bundle:{name}" for name in bundles}
    findings.close_gone(session, "bundle", there, control.clock())
    if control.settings.inventory.exists():
        hosts = {f"server:{name}" for name in inventory.read(control.settings.inventory)}
        findings.close_gone(session, "server", hosts, control.clock())


def _last(session: Session) -> datetime | None:
    """Return when the operator was written to last."""
    told = select(Event.at).where(Event.subject == OPERATOR, Event.what == TOLD)
    return session.scalar(told.order_by(Event.id.desc()).limit(1))


def _failed(session: Session, since: datetime | None) -> list[dict[str, object]]:
    newer = aliased(Run)
    again = exists().where(newer.kind == Run.kind, newer.subject == Run.subject, newer.id > Run.id)
    stopped = select(Run).where(Run.state == FAILED, ~again).order_by(Run.id)
    if since is not None:
        stopped = stopped.where(Run.ended_at > since)
    return [
        {"id": run.id, "kind": run.kind, "about": run.subject, "message": run.message}
        for run in session.scalars(stopped)
    ]


def _described(session: Session, some: Iterable[KnownFinding]) -> list[dict[str, object]]:
    """Return findings as a letter tells them: a bundle by its domain."""
    known = list(some)
    names = [finding.subject.partition(":")[2] for finding in known]
    rows = session.execute(select(Bundle.name, Bundle.domain).where(Bundle.name.in_(names)))
    domains = {f"bundle:{name}": domain for name, domain in rows}
    return [
        {
            "about": domains.get(finding.subject, finding.subject.partition(":")[2]),
            "check": finding.check,
            "result": finding.result,
            "since": f"{finding.since:%Y-%m-%d}",
            "message": finding.message,
            "hint": finding.hint,
        }
        for finding in known
    ]
