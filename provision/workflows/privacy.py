"""What persons may ask for, and what must go by itself: in the registry, and in files here."""

from __future__ import annotations

import shutil
from datetime import date
from typing import TYPE_CHECKING

from dateutil.relativedelta import relativedelta
from sqlalchemy import select

from provision.post import outbox
from provision.post.models import Letter
from provision.registry import findings, runs
from provision.registry.secrets import open_safe
from provision.subscriptions.privacy import (
    erasing,
    exporting,
    gathering,
    persons,
    purging,
    quoting,
    retention,
)
from provision.subscriptions.privacy.purging import Going

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy import Engine
    from sqlalchemy.orm import Session

    from provision.subscriptions.privacy.erasing import Erasing
    from provision.subscriptions.privacy.gathering import Gathered
    from provision.workflows.control import Control

LETTER, DAY_OF_JOBS = "letter", "day of jobs"


def collected(control: Control, who: str) -> dict[str, bytes]:
    """Return everything about one subscriber as files, by name."""
    with control.reading() as session:
        subscriber = persons.find(session, who)
        gathered = exporting.collect(session, subscriber)
        return exporting.files(gathered, subscriber.language, control.today())


def erase(control: Control, who: str, why: str) -> Erasing:
    """Erase one subscriber: the registry in one unit of work, and the kits that lie here.

    The kits go before the unit of work ends: killed in between, the same command goes on. Done
    already, it changes nothing.
    """
    with control.session() as session:
        overwrite(session)
        subscriber, safe = persons.find(session, who), open_safe(session, control.settings.key_file)
        outbox.give_up(session, subscriber.id, control.told("erased"))
        _forget_in_letters(session, exporting.collect(session, subscriber))
        planned = erasing.erase(session, safe, subscriber, control.told(why), control.today())
        remove_kits(control, planned.kits)
    scrub(control.engine)
    return planned


def _forget_in_letters(session: Session, gathered: Gathered) -> None:
    """Take a person out of letters to the operator; those to others are theirs."""
    naming = gathering.naming(quoting.sure_words(gathered))
    for letter in session.scalars(select(Letter).where(Letter.subscriber_id.is_(None))):
        for name in ("subject", "text", "message"):
            setattr(letter, name, naming.sub("erased", getattr(letter, name)))


def due(session: Session, on: date) -> list[Going]:
    """Return all whose time is over on a day: what the wing of money knows, and letters."""
    rule = retention.rule(retention.LETTER)
    letters = outbox.written_until(session, on - relativedelta(years=rule.years))
    return [
        *(
            Going(rule.code, LETTER, str(number), written_on, rule.last_day(written_on))
            for number, written_on in letters.items()
            if rule.is_over(written_on, on)
        ),
        *_days_of_jobs(session, on),
        *purging.due(session, on),
    ]


def _days_of_jobs(session: Session, on: date) -> Iterator[Going]:
    """Yield the days whose jobs and findings go, each as one thing."""
    rule = retention.rule(retention.JOB)
    until = on - relativedelta(months=rule.months)
    for day in sorted(runs.days_over(session, until) | findings.days_mended(session, until)):
        if rule.is_over(day, on):
            yield Going(rule.code, DAY_OF_JOBS, day.isoformat(), day, rule.last_day(day))


def purge(control: Control, going: Iterable[Going]) -> list[Going]:
    """Take what retention rules say, each thing in a unit of work of its own; return what went.

    What cannot go yet (something is owed) stays, and is found again the next time.
    """
    gone = []
    for expiry in going:
        if expiry.stays:
            continue
        with control.session() as session:
            overwrite(session)
            remove_kits(control, _take(control, session, expiry))
        gone.append(expiry)
        control.tell(f"{expiry.kind} {expiry.key}: {expiry.rule}")
    scrub(control.engine)
    return gone


def _take(control: Control, session: Session, expiry: Going) -> tuple[str, ...]:
    """Take one thing; return the folders of the kits' folder that go with it."""
    told, today = control.told(f"retention: {expiry.rule}"), control.today()
    if expiry.kind == LETTER:
        outbox.forget(session, outbox.get(session, int(expiry.key)), told)
        purging.record(session, expiry, today)
        return ()
    if expiry.kind == DAY_OF_JOBS:
        day = date.fromisoformat(expiry.key)
        runs.forget(session, day)
        findings.forget(session, day)
        purging.record(session, expiry, today)
        return ()
    if expiry.kind == purging.SUBSCRIBER:
        outbox.give_up(session, int(expiry.key), told)
    safe = open_safe(session, control.settings.key_file)
    return purging.take(session, safe, expiry, told, today)


def scrub(engine: Engine) -> None:
    """Let SQLite's file forget too: its log still holds pages as they were before.

    PostgreSQL does so by itself (autovacuum).
    """
    if engine.dialect.name != "sqlite":
        return
    connection = engine.raw_connection()
    try:
        connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()


def overwrite(session: Session) -> None:
    """Let SQLite write zeros over what is deleted, wherever it was built without that habit."""
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete = ON")


def remove_kits(control: Control, kits: Iterable[str]) -> None:
    """Remove the folders of kits that lie here; a kit holds the secret of its device."""
    for kit in kits:
        folder = control.kits / kit
        if folder != control.kits and folder.is_dir():
            shutil.rmtree(folder)
