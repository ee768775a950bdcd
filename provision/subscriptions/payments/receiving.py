"""Bank statements into the registry: each once, in order, or not at all."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import date
from typing import TYPE_CHECKING

from sqlalchemy import select

from provision.errors import UsageRefused
from provision.formats.bank import reading, statements
from provision.formats.bank.statements import Statement
from provision.formats.sepa import identifiers
from provision.subscriptions.parties import profiles
from provision.subscriptions.payments.models import (
    BankMovement,
    BankStatement,
)

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from provision.formats.bank.mappings import CsvMapping
    from provision.formats.bank.statements import Movement
    from provision.subscriptions.parties.models import Organisation


@dataclass(frozen=True)
class Source:
    """A file of the bank: its content, the name by which people know it, how to read a CSV."""

    content: bytes
    name: str
    mapping: CsvMapping | None = None


@dataclass(frozen=True)
class ImportedStatements:
    """What a file brought: the statements that are new, and how many were known.

    `overlap` are the movements that were there already on those that are new.
    """

    new: tuple[BankStatement, ...]
    known: int
    overlap: tuple[Movement, ...] = ()


def bring_in(
    session: Session, organisation: Organisation, source: Source, today: date
) -> ImportedStatements:
    """Write the statements of a file; those that are known, or movements of them, are passed over.

    Raises PaquetError, and nothing is written, for a file that cannot be believed, another
    account, or a gap between the last statement and this one.
    """
    account = _account(session, organisation, today)
    read = reading.read(source.content, source.name, source.mapping)
    digests, keys = _known(session, organisation.id)
    bank_statements: list[BankStatement] = []
    overlap: list[Movement] = []
    for statement in read:
        _check_account(statement, account, source.name)
        if statements.repeats(statement, digests, keys):
            continue
        last = _last(session, organisation.id, statement.account)
        fresh, there = statements.rest(last, statement, keys)
        statements.follows(last, fresh)
        bank_statements.append(_written(session, organisation.id, fresh, today))
        overlap += there
        keys |= {movement.key for movement in statement.movements}
    return ImportedStatements(
        tuple(bank_statements), len(read) - len(bank_statements), tuple(overlap)
    )


def _account(session: Session, organisation: Organisation, today: date) -> str:
    profile = profiles.needed(session, organisation, today)
    if not profile.iban:
        raise UsageRefused(
            f"The profile of {organisation.name} names no bank account",
            "Describe the organisation with its iban first.",
        )
    return identifiers.iban(profile.iban)


def _check_account(statement: Statement, account: str, name: str) -> None:
    if statement.account != account:
        raise UsageRefused(
            f"{name[:80]!r} is a statement of {statement.account}, and the account of the books is "
            f"{account}",
            "Choose the organisation whose account this is.",
        )


def _known(session: Session, organisation_id: int) -> tuple[set[str], set[str]]:
    digests = select(BankStatement.digest).where(BankStatement.organisation_id == organisation_id)
    keys = select(BankMovement.key).where(BankMovement.organisation_id == organisation_id)
    return set(session.scalars(digests)), set(session.scalars(keys))


def _last(session: Session, organisation_id: int, account: str) -> Statement | None:
    row = session.scalar(
        select(BankStatement)
        .where(BankStatement.organisation_id == organisation_id, BankStatement.account == account)
        .order_by(BankStatement.id.desc())
        .limit(1)
    )
    if row is None:
        return None
    return Statement(
        row.account, row.number, row.opened_on, row.closed_on, row.opening, row.closing, ()
    )


def _written(
    session: Session, organisation_id: int, statement: Statement, today: date
) -> BankStatement:
    row = BankStatement(
        organisation_id=organisation_id,
        account=statement.account,
        number=statement.number,
        opened_on=statement.opened_on,
        closed_on=statement.closed_on,
        opening=statement.opening,
        closing=statement.closing,
        digest=statement.digest,
        imported_on=today,
    )
    session.add(row)
    session.flush()
    session.add_all(
        BankMovement(
            statement_id=row.id,
            organisation_id=organisation_id,
            position=movement.position,
            key=movement.key,
            booked_on=movement.booked_on,
            units=movement.units,
            content=json.dumps(asdict(movement), default=date.isoformat, ensure_ascii=False),
        )
        for movement in statement.movements
    )
    session.flush()
    return row
