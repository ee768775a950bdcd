"""What comes by itself: each entry asks for runs when its time has come, once for all machines."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeAlias

from croniter import croniter
from sqlalchemy import select

from provision import database
from provision.errors import PaquetError
from provision.jobs import bundles, checks, money, post
from provision.jobs.heart import moment
from provision.registry import findings, runs
from provision.registry.findings import LookedAt
from provision.registry.models import Bundle, Schedule
from provision.registry.runs import NIGHTLY
from provision.servers import inventory
from provision.subscriptions.parties import organisations, profiles
from provision.workflows import capacity, dunning
from provision.workflows.dunning import Campaign

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from provision.registry.runs import WantedRun
    from provision.workflows.control import Control


LATER = timedelta(minutes=10)  # after which an entry that could not come is tried again
IsDue: TypeAlias = "Callable[[Session, Control, str], bool]"


@dataclass(frozen=True)
class ScheduleEntry:
    """What comes by itself: what for, which runs it asks for, and by how much its time varies.

    With jitter, the machines of many operators do not all knock at the same doors at once.
    """

    told: str
    wanted: Callable[[Control], Sequence[WantedRun]]
    jitter: timedelta = timedelta()


def _bill(control: Control) -> list[WantedRun]:
    return [money.billing(control.today(), NIGHTLY)]


def _check(control: Control) -> list[WantedRun]:
    """Ask for a look at each server, and at all bundles on it that are not erased."""
    hosts = inventory.read(control.settings.inventory)
    standing = select(Bundle.server, Bundle.name).where(Bundle.state != "erased")
    with control.reading() as session:
        rows = session.execute(standing.order_by(Bundle.name)).all()
    return [
        checks.of_server(host, [name for server, name in rows if server == host], NIGHTLY)
        for host in hosts
    ]


def _rooms(control: Control) -> list[WantedRun]:
    return bundles.deployments(capacity.due(control), NIGHTLY)


def _post(control: Control) -> list[WantedRun]:
    settings = control.settings.post
    return [post.round_of(settings.address, NIGHTLY)] if settings.since else []


def _operator(control: Control) -> list[WantedRun]:
    return [post.to_operator(control.today(), NIGHTLY)] if control.settings.post.since else []


def _renewals(control: Control) -> list[WantedRun]:
    """Ask for announcements by post; without one, a person writes them into a folder."""
    return [post.announcement(control.today(), NIGHTLY)] if control.settings.post.since else []


def _reminders(control: Control) -> list[WantedRun]:
    """Ask for the reminders of everybody who has a profile, by the steps of the settings."""
    folder, on = control.settings.state / "reminders", control.today()
    with control.reading() as session:
        owners = [
            (owner.name, folder / str(owner.id))
            for owner in organisations.everyone(session)
            if profiles.on(session, owner.id, on)
        ]
    file = control.settings.dunning.policy
    rules = dunning.rules(file)
    return [money.reminders(Campaign(name, rules, on, to), file, NIGHTLY) for name, to in owners]


def _settle(control: Control) -> list[WantedRun]:
    return [money.settlement(control.today(), NIGHTLY)]


ENTRIES: Mapping[str, ScheduleEntry] = {
    "bill": ScheduleEntry("invoices for every term that has begun", _bill),
    "check": ScheduleEntry("looks at every server and bundle", _check, timedelta(minutes=50)),
    "post": ScheduleEntry("letters leave, what came back is read", _post),
    "operator": ScheduleEntry("what changed and needs the operator, by letter", _operator),
    "renewals": ScheduleEntry("yearly terms that renew themselves are announced", _renewals),
    "reminders": ScheduleEntry("who has not paid is reminded, step by step", _reminders),
    "settle": ScheduleEntry("what sellers owe becomes settlements", _settle),
    "rooms": ScheduleEntry("servers are told of room that changes by today", _rooms),
}


def listing(control: Control) -> list[dict[str, object]]:
    """Return a row per entry: its times, when it comes next and came last, and what came of it."""
    with control.reading() as session:
        known = {row.name: row for row in session.scalars(select(Schedule))}
    return [_row(control, name, known.get(name)) for name in ENTRIES]


def _row(control: Control, name: str, known: Schedule | None) -> dict[str, object]:
    times = _times(control, name)
    paused = known.paused_why if known else ""
    return {
        "name": name,
        "what": ENTRIES[name].told,
        "times": times or "never",
        "next": "paused" if paused else _next(control, name, known) if times else "never",
        "last": _shown(known.last_at) if known else "",
        "job": known.last_run if known else None,
        "paused": paused,
    }


def _next(control: Control, name: str, known: Schedule | None) -> str:
    """Return when an entry comes next: as it was counted, or as it will be."""
    if known is not None and known.times == _times(control, name):
        return _shown(known.next_at)
    return _shown(next_time(control, name, control.clock()))


def preview(control: Control, name: str | None) -> list[dict[str, object]]:
    """Return what `name` asks for, or what is due by now; nothing is written."""
    with control.reading() as session:
        arrived = session.scalars(_ready(session, control)).all()
    names = [name] if name else [each for each in arrived if each in ENTRIES]
    return [
        {"name": each, "job": wanted.kind, "about": wanted.subject, "steps": len(wanted.steps)}
        for each in names
        if name or _written(control, each)
        for wanted in entry(each).wanted(control)
    ]


def begin_due(control: Control) -> list[int]:
    """Ask for what is due by now, each once however late, and return the runs.

    Where nothing is, this is one look at the registry: workers take it every few seconds.
    """
    with control.reading() as session:
        counted = dict(session.execute(select(Schedule.name, Schedule.times)).all())
        arrived = set(session.scalars(_ready(session, control)))
    begun: list[int] = []
    for name in ENTRIES:
        try:
            if counted.get(name) != _written(control, name):
                _count_anew(control, name)
            elif name in arrived and _written(control, name):
                begun += begin(control, name, is_due=_is_due)
                _note(control, name, None)
        except PaquetError as unable:
            _note(control, name, unable)
    return begun


def _note(control: Control, name: str, unable: PaquetError | None) -> None:
    """Keep why an entry could not come, for the operator's letter, and let it come a bit later."""
    wrong = [] if unable is None else [_wrong(name, unable)]

    def work(session: Session) -> None:
        at = moment(session, control)
        findings.note(session, LookedAt(f"schedule:{name}", wrong), at)
        if unable is not None:
            row = _row_of(session, control, name)
            row.times, row.next_at = _written(control, name), at + LATER

    database.retried(control.engine, work)


def _wrong(name: str, unable: PaquetError) -> dict[str, str]:
    return {"check": name, "result": "warning", "message": unable.message, "hint": unable.hint}


def begin(control: Control, name: str, is_due: IsDue = lambda *_: True) -> list[int]:
    """Ask for the runs of an entry, and return them: now, or where it `is_due` and nobody else did.

    Raises PaquetError for no such entry.
    """
    wanted = entry(name).wanted(control)

    def work(session: Session) -> list[int]:
        if not is_due(session, control, name):
            return []
        asked = [runs.ask(session, each, control.told("the schedule")).id for each in wanted]
        row = _row_of(session, control, name)
        row.last_at, row.last_run = moment(session, control), asked[0] if asked else None
        return asked

    return database.retried(control.engine, work)


def _ready(session: Session, control: Control) -> Select[str]:
    """Select the names of the entries whose time has come, by the times that were counted."""
    return select(Schedule.name).where(
        Schedule.next_at <= moment(session, control), Schedule.paused_why == ""
    )


def _count_anew(control: Control, name: str) -> None:
    """Count when an entry comes that was never counted, or has other times since."""
    times = _times(control, name)

    def work(session: Session) -> None:
        row, at = _row_of(session, control, name), moment(session, control)
        row.times, row.next_at = times, next_time(control, name, at) if times else at

    database.retried(control.engine, work)


def entry(name: str) -> ScheduleEntry:
    """Return the entry of this name, or raise PaquetError."""
    if name not in ENTRIES:
        raise PaquetError(f"Nothing called {name} comes by itself", "See: paquet schedule list")
    return ENTRIES[name]


def pause(session: Session, control: Control, name: str, why: str) -> None:
    """Let an entry not come any more until it is paused with ''."""
    entry(name)
    _row_of(session, control, name).paused_why = why


def _is_due(session: Session, control: Control, name: str) -> bool:
    """Tell whether an entry has come and nobody else saw it, and count when it comes next."""
    row, at = _row_of(session, control, name), moment(session, control)
    arrived = select(Schedule.name).where(Schedule.name == name, Schedule.next_at <= at)
    if row.paused_why or session.scalar(arrived) is None:
        return False
    row.next_at = next_time(control, name, at)
    return True


def _row_of(session: Session, control: Control, name: str) -> Schedule:
    row = session.get(Schedule, name, with_for_update=True)
    if row is None:
        row = Schedule(name=name, times="", next_at=moment(session, control))
        session.add(row)
        session.flush()
    return row


def next_time(control: Control, name: str, after: datetime) -> datetime:
    """Return when an entry comes next: its times are those of the clock on the wall here."""
    wall = after.astimezone().replace(tzinfo=None)
    comes: datetime = croniter(_times(control, name), wall).get_next(datetime)
    jitter = ENTRIES[name].jitter * random.random()  # noqa: S311 (no secret)
    return (comes + jitter).astimezone(UTC)


def _written(control: Control, name: str) -> str:
    """Return the times of an entry as the settings write them, good or not."""
    return str(getattr(control.settings.schedule, name))


def _times(control: Control, name: str) -> str:
    times = _written(control, name)
    if times and not croniter.is_valid(times, strict=True):
        raise PaquetError(
            f"schedule.{name} says no times: {times!r}",
            "Write minute, hour, day, month and weekday, as crontab(5) has them: 40 4 * * *",
        )
    return times


def _shown(at: datetime | None) -> str:
    if at is None:
        return ""
    known = at if at.tzinfo else at.replace(tzinfo=UTC)
    return f"{known.astimezone():%Y-%m-%d %H:%M}"
