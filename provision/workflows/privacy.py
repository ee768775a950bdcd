"""What persons may ask for, and what must go by itself: in the registry, and in files here."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from provision.registry.secrets import open_safe
from provision.subscriptions.privacy import erasing, exporting, persons, purging

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Engine
    from sqlalchemy.orm import Session

    from provision.subscriptions.privacy.erasing import Erasing
    from provision.subscriptions.privacy.purging import Going
    from provision.workflows.control import Control


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
        planned = erasing.erase(session, safe, subscriber, control.told(why), control.today())
        remove_kits(control, planned.kits)
    scrub(control.engine)
    return planned


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
            told = control.told(f"retention: {expiry.rule}")
            kits = purging.take(
                session,
                open_safe(session, control.settings.key_file),
                expiry,
                told,
                control.today(),
            )
            remove_kits(control, kits)
        gone.append(expiry)
        control.tell(f"{expiry.kind} {expiry.key}: {expiry.rule}")
    scrub(control.engine)
    return gone


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
