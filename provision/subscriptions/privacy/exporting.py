"""Everything about one person as files: for them to read, and for another program (RGPD 15, 20).

A folder of its own: `LISEZMOI.txt` or, in English, `README.txt`, `person.json` (format 1: rows by
table, under the column names of the registry, and documents with their lines), and each table as
CSV. Days and moments are ISO 8601 (UTC), amounts are whole cents. Secrets and their hashes are not
in it.
"""

from __future__ import annotations

import base64
import json
import shutil
import tempfile
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, tuple_

from provision.database import pieces
from provision.errors import UsageRefused
from provision.formats.books import tabular
from provision.languages import spoken
from provision.process.files import replace_file
from provision.registry.models import Event
from provision.rendering import render
from provision.subscriptions.documents import numbering
from provision.subscriptions.ledger.models import LedgerTransaction
from provision.subscriptions.privacy import gathering, tables

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.orm import Session

    from provision.registry.models import Subscriber
    from provision.subscriptions.privacy.gathering import Gathered, Row

FORMAT = 1
JSON = "person.json"
README = {"fr": "LISEZMOI.txt", "en": "README.txt"}


def collect(session: Session, subscriber: Subscriber) -> Gathered:
    """Return all rows that the person may see, by table, ready for JSON.

    Beside the rows that lead to the person: the ledger entries of their postings, and the events
    that speak of what is theirs.
    """
    there = tables.reflected(session)
    gathered = gathering.gather(session, there, subscriber.id)
    shown = {
        name: [{key: row[key] for key in tables.shown_columns(there.tables[name])} for row in rows]
        for name, rows in gathered.items()
    }
    shown["ledger_transaction"] = _entries(session, gathered)
    shown["event"] = _events(session, gathered)
    return {name: [_plain(row) for row in rows] for name, rows in sorted(shown.items()) if rows}


def files(collected: Gathered, language: str, today: date) -> dict[str, bytes]:
    """Return the export's files by name. Pure."""
    whole = {
        "format": FORMAT,
        "made_on": today.isoformat(),
        "tables": collected,
        "documents": documents(collected),
    }
    chosen = spoken(language)
    words = {"day": today, "tables": sorted(collected)}
    texts = {
        README[chosen]: render(f"money/personal_export.{chosen}.txt", words),
        JSON: json.dumps(whole, ensure_ascii=False, indent=1, sort_keys=True) + "\n",
    }
    encoded = {name: text.encode(errors="replace") for name, text in texts.items()}
    return encoded | {
        f"{name}.csv": tabular.table(list(rows[0]), [_cells(row) for row in rows], chosen)
        for name, rows in collected.items()
    }


def documents(collected: Gathered) -> list[Row]:
    """Return invoices and credit notes with their lines and what was set against them. Pure."""
    return [
        {
            "document": numbering.shown(document["series"], document["number"]),
            **document,
            "lines": _of_document(document, collected.get("invoice_line", ())),
            "allocations": _of_document(document, collected.get("allocation", ())),
        }
        for document in collected.get("invoice", ())
    ]


def check_new(folder: Path) -> None:
    """Raise UsageRefused when the folder is there already, or its parent is not."""
    if folder.exists() or folder.is_symlink():
        raise UsageRefused(f"{folder} is there already", "Name a folder that does not exist yet.")
    if not folder.parent.is_dir():
        raise UsageRefused(f"There is no folder {folder.parent}", "Make it first.")


def write(contents: Mapping[str, bytes], folder: Path) -> Path:
    """Write the files into the new `folder` (0700, files 0600): whole or not at all.

    Raises UsageRefused for a folder that `check_new` refuses.
    """
    check_new(folder)
    beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        for name, content in contents.items():
            replace_file(beside / name, content)
        beside.rename(folder)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise
    return folder


def _entries(session: Session, gathered: Gathered) -> list[Row]:
    """Return the entries that the person's postings are part of, without what is of others."""
    entry = LedgerTransaction
    numbers = {
        (row["organisation_id"], row["number"]) for row in gathered.get("ledger_posting", ())
    }
    wanted = sorted(numbers)
    entries: list[Row] = []
    columns = (
        entry.organisation_id,
        entry.number,
        entry.effective_on,
        entry.journal,
        entry.text,
        entry.piece,
    )
    for part in pieces(wanted):
        query = select(*columns).where(tuple_(entry.organisation_id, entry.number).in_(part))
        in_order = query.order_by(entry.organisation_id, entry.number)
        entries += [dict(row) for row in session.execute(in_order).mappings()]
    return entries


def _events(session: Session, gathered: Gathered) -> list[Row]:
    own = gathering.subjects(gathered)
    query = select(Event).where(Event.subject.in_(own)).order_by(Event.id)
    return [
        {"at": event.at, "subject": event.subject, "what": event.what, "why": event.why}
        for event in session.scalars(query)
    ]


def _of_document(document: Row, rows: Sequence[Row]) -> list[Row]:
    key = ("organisation_id", "series", "number")
    return [row for row in rows if all(row[name] == document[name] for name in key)]


def _plain(row: Row) -> Row:
    return {name: _value(value) for name, value in row.items()}


def _value(value: Any) -> Any:  # noqa: ANN401 (whatever a column holds)
    if isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        return aware.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def _cells(row: Row) -> list[tabular.Cell]:
    return [
        json.dumps(value, ensure_ascii=False, sort_keys=True)
        if isinstance(value, dict | list)
        else value
        for value in row.values()
    ]
