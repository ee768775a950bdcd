"""A list of clients, brought in: read, looked at whole, asked, written, or its faults told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from provision import database
from provision.commands.shared.changing import agreed, change_options, tried
from provision.commands.shared.words import file_type, name_type, new_file_type, typed
from provision.errors import PaquetError, UsageRefused
from provision.formats.clients import columns, lines, table
from provision.process.files import replace_file
from provision.workflows import bringing
from provision.workflows.client_plans import Bringing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from sqlalchemy.orm import Session

    from provision.commands.shared.changing import How
    from provision.commands.shared.context import Context
    from provision.commands.shared.tables import Facts
    from provision.commands.shared.words import Command
    from provision.formats.clients.lines import ClientLine
    from provision.formats.clients.table import ClientTable, LineFault
    from provision.workflows.bringing import Brought

TO_MEND = "-to-mend.csv"
OPTIONS = (
    click.argument("file", type=file_type),
    click.option("--organisation", type=name_type, required=True, help="Whose clients they are."),
    click.option(
        "--columns", "heads", type=file_type, help=f"What its heads mean: {columns.EXAMPLE}."
    ),
    click.option("--skip-faulty", is_flag=True, help="Bring in the other lines."),
    click.option(
        "--rest",
        type=new_file_type,
        help=f"Where lines that were skipped are written; else beside FILE, with {TO_MEND}.",
    ),
)


@dataclass(frozen=True)
class ClientList:
    """A list of clients as it is typed, and what becomes of lines that are faulty."""

    file: Path
    organisation: str
    heads: Path | None
    skip_faulty: bool
    rest: Path | None

    @property
    def to_mend(self) -> Path:
        """Where lines that were skipped are written."""
        return self.rest or self.file.with_name(f"{self.file.stem}{TO_MEND}")


def list_options(command: Command) -> Command:
    """Add FILE and how it is read, which the command gets as `wanted`, beside `how`."""
    command = typed(ClientList, "wanted")(change_options(command))
    for decorate in reversed(OPTIONS):
        command = decorate(command)
    return command


def bring_in(context: Context, wanted: ClientList, how: How, *, enrols: bool) -> None:
    """Bring a list in: subscribers with all that it tells of them, or mandates alone.

    Nothing is written where a line is faulty, unless those are skipped; then they are written into
    a file of their own. Raises PaquetError where nothing was written for that.
    """
    look = _look(wanted, enrols=enrols)
    control = context.control()
    told = Bringing(
        wanted.organisation,
        (control.today(), control.told()),
        control.settings.operator.language,
        enrols,
    )

    def work(session: Session) -> Brought:
        brought = bringing.bring(session, told, look.lines, look.table.columns)
        brought.faults = sorted([*look.faults, *brought.faults], key=lambda fault: fault.line)
        if brought.faults and not wanted.skip_faulty:
            session.rollback()
        return brought

    if how.dry_run or not how.yes:
        planned = tried(context, work)
        _refuse_faulty(context, look, planned, how)
        if not (planned.writes or planned.faults or how.dry_run):
            context.show(look.facts(planned, as_json=how.as_json), as_json=how.as_json)
            return
        if not agreed(context, look.facts(planned, as_json=how.as_json), how, "Bring them in?"):
            return
    brought = _written(context, look, work)
    _refuse_faulty(context, look, brought, how)
    if how.yes or how.as_json:
        context.show(look.facts(brought, as_json=how.as_json), as_json=how.as_json)


def _written(context: Context, look: _Look, work: Callable[[Session], Brought]) -> Brought:
    """Bring the list in: what is skipped is on the disk before the registry has the rest.

    Where that fails neither is there, so that the same command may be typed again.
    """
    wanted, language = look.wanted, context.settings.operator.language

    def kept(session: Session) -> Brought:
        brought = work(session)
        if brought.faults and wanted.skip_faulty:
            _write(wanted.to_mend, table.rest(look.table, brought.faults, language))
        return brought

    try:
        return database.retried(context.engine, kept)
    except Exception:
        if wanted.skip_faulty:
            wanted.to_mend.unlink(missing_ok=True)
        raise


def _write(file: Path, content: bytes) -> None:
    try:
        replace_file(file, content)
    except OSError as wrong:
        raise PaquetError(
            f"{file} cannot be written: {wrong.strerror}",
            "Nothing was brought in. Name a file elsewhere: --rest",
        ) from None


@dataclass(frozen=True)
class _Look:
    """What a list holds before the registry is asked."""

    wanted: ClientList
    table: ClientTable
    lines: list[ClientLine]
    faults: list[LineFault]
    unread: tuple[str, ...]

    def facts(self, brought: Brought, *, as_json: bool) -> Facts:
        """Return what bringing it in does, or did; people read what says something."""
        skipped = brought.faults and self.wanted.skip_faulty
        remarks = [*lines.shared_accounts(self.lines), *brought.remarks]
        facts: Facts = {
            "columns_not_read": ", ".join(self.unread),
            "to_mend": str(self.wanted.to_mend) if skipped else "",
            "brought": brought.counts,
            "changes": [vars(change) for change in brought.changes],
            "remarks": [{"remark": remark} for remark in remarks],
            "faults": [vars(fault) for fault in brought.faults],
        }
        if as_json:
            return facts
        facts["faults"] = _each_once(brought.faults)
        return {name: fact for name, fact in facts.items() if fact}


def _each_once(faults: Sequence[LineFault]) -> list[dict[str, str]]:
    """Return one row for what is wrong in the same way, with all its lines."""
    on: dict[tuple[str, str, str], list[int]] = {}
    for fault in faults:
        on.setdefault((fault.column, fault.fault, fault.hint), []).append(fault.line)
    return [
        {"line": lines.numbered(at), "column": column, "fault": fault, "hint": hint}
        for (column, fault, hint), at in on.items()
    ]


def _look(wanted: ClientList, *, enrols: bool) -> _Look:
    """Read the list, or raise PaquetError where it cannot be what is meant."""
    if wanted.skip_faulty and wanted.to_mend.exists():
        raise UsageRefused(
            f"{wanted.to_mend} is there already", "Name another file for lines to mend: --rest"
        )
    vocabulary = columns.vocabulary(wanted.heads)
    try:
        there = table.read(wanted.file.read_bytes(), vocabulary)
    except PaquetError as refused:
        raise UsageRefused(f"{wanted.file}: {refused.message}", refused.hint) from None
    words = columns.WORDS if enrols else (*columns.WHO, *columns.MANDATE)
    needed = {"name"} if enrols else {*columns.WHO, "reference"}
    if needed.isdisjoint(there.columns):
        raise UsageRefused(
            f"{wanted.file}: no column says {' or '.join(sorted(needed))}",
            f"Say which one does, in a file for --columns: see {columns.EXAMPLE}.",
        )
    clients, faults = lines.read(there, vocabulary, words)
    passed = tuple(head for word, head in there.columns.items() if word not in words)
    return _Look(wanted, there, clients, faults, (*there.unread, *passed))


def _refuse_faulty(context: Context, look: _Look, brought: Brought, how: How) -> None:
    """Show the faults and raise PaquetError, unless there is none, or they are skipped."""
    if not brought.faults or look.wanted.skip_faulty:
        return
    context.show(look.facts(brought, as_json=how.as_json), as_json=how.as_json)
    count = len({fault.line for fault in brought.faults})
    many = f"{count} lines are" if count > 1 else "1 line is"
    raise PaquetError(
        f"{many} faulty: nothing is written",
        "Mend the file and bring it in again, or leave them aside: --skip-faulty",
    )
