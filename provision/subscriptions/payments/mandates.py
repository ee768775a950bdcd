"""Mandates in the registry: written, signed, ended, and read as SEPA needs them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sqlalchemy import exists, func, select

from provision import edges
from provision.days import sensible_day
from provision.errors import PaquetError, UsageRefused, WordRefused
from provision.formats.codes import countries
from provision.formats.sepa import identifiers, prenotification
from provision.formats.sepa.characters import reference, sepa_text
from provision.formats.sepa.debits import Creditor
from provision.formats.sepa.mandates import Mandate, MandateParty
from provision.registry import states
from provision.subscriptions.parties import identities, profiles
from provision.subscriptions.parties.models import Organisation
from provision.subscriptions.payments.models import (
    Collection,
    CollectionAnswer,
    CollectionItem,
    MandateRow,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.registry.models import Subscriber
    from provision.registry.states import Told
    from provision.subscriptions.parties.identities import Person
    from provision.subscriptions.parties.profiles import Profile

LONGEST_CODE, LONGEST_STREET = 12, 64
WRITTEN = {"bic": identifiers.bic, "country": countries.code}  # fields with one way of writing
ERASED = "erased"


@dataclass(frozen=True)
class WantedMandate:
    """A mandate to write; what is '' comes from the subscriber, or is made.

    `reference` and `collected_before` are of a mandate that another program used until now. `bank`
    is what `complete` takes: the BIC, and where the debtor lives.
    """

    holder: str = ""
    iban: str = ""
    bank: Mapping[str, str] = field(default_factory=dict)
    reference: str = ""
    notice_days: int = prenotification.USUAL_DAYS
    collected_before: date | None = None


def add(
    session: Session,
    organisation: Organisation,
    subscriber: Subscriber,
    wanted: WantedMandate,
    when: tuple[date, Told],
) -> MandateRow:
    """Write a mandate that waits for its signature."""
    today, told = when
    profile = profiles.needed(session, organisation, today)
    person = identities.read(identities.ensure(session, subscriber, today))
    named = replace(wanted, reference=_reference(session, organisation, wanted.reference))
    mandate = new(organisation, (subscriber, person), named, (today, profile))
    session.add(mandate)
    session.flush()
    states.record_all(session, events_of(mandate), told)
    return mandate


def events_of(mandate: MandateRow) -> list[tuple[str, str]]:
    """Return the events of a mandate that is new, signed or not, for `states.record_all`."""
    subject = f"mandate:{mandate.id}"
    signed = [(subject, f"signed on {mandate.signed_on}")] if mandate.signed_on else []
    return [(subject, "written"), *signed]


def new(
    organisation: Organisation,
    debtor: tuple[Subscriber, Person],
    wanted: WantedMandate,
    when: tuple[date, Profile],
) -> MandateRow:
    """Return the row of a mandate whose reference nobody has; the caller adds it."""
    (subscriber, person), (today, profile) = debtor, when
    _check_past(wanted.notice_days, wanted.collected_before, today)
    address = person.address
    mandate = MandateRow(
        organisation_id=organisation.id,
        subscriber=subscriber,
        reference=reference(wanted.reference, "mandate reference"),
        creditor_identifier=creditor(profile).creditor_identifier,
        holder=edges.person_name(wanted.holder or person.name, "holder of the account"),
        street=_street(address.lines) if address else "",
        postcode=address.postcode if address else "",
        town=address.city if address else "",
        country=address.country if address else "FR",
        notice_days=wanted.notice_days,
        collected_before=wanted.collected_before,
        **_account(wanted.iban, profile),
    )
    _completed(mandate, wanted.bank, profile)
    return mandate


def sign(
    session: Session, row: MandateRow, signed_on: date, iban: str, when: tuple[date, Told]
) -> None:
    """Enter the day of the signature, and the account if the debtor wrote it by hand."""
    today, told = when
    organisation = session.get_one(Organisation, row.organisation_id)
    enter_signature(row, signed_on, iban, (today, profiles.needed(session, organisation, today)))
    states.record(session, f"mandate:{row.id}", f"signed on {signed_on}", told)


def enter_signature(
    row: MandateRow, signed_on: date, iban: str, when: tuple[date, Profile]
) -> None:
    """Let the row of a mandate be signed; `iban` is '' or what was written. Raises PaquetError."""
    today, profile = when
    if row.ended_on is not None:
        raise UsageRefused(f"The mandate {row.reference} has ended", "Write a new one.")
    if row.signed_on is not None:
        raise UsageRefused(
            f"The mandate {row.reference} is signed since {row.signed_on}",
            "For another account have a new mandate signed.",
        )
    if sensible_day(signed_on, "the day of a signature") > today:
        raise WordRefused(
            "signed_on", f"{signed_on} is not yet", "Enter the day that the paper says."
        )
    _check_last(row.collected_before, signed_on)
    account = _account(iban or row.iban, profile)
    if not account["iban"]:
        raise UsageRefused(
            f"The mandate {row.reference} names no account", "Give the IBAN that the debtor wrote."
        )
    kept = row.bic if row.iban in {"", account["iban"]} else ""  # another account has its own bank
    row.iban, row.signed_on, row.bic = account["iban"], signed_on, account["bic"] or kept


def complete(
    session: Session, row: MandateRow, bank: Mapping[str, str], when: tuple[date, Told]
) -> None:
    """Enter what a bank outside the European Economic Area wants: `bank` has fields of the row.

    These are `bic`, `street`, `postcode`, `town` and `country`; what was signed is not among them.
    """
    today, told = when
    if row.ended_on is not None:
        raise UsageRefused(f"The mandate {row.reference} has ended", "Write a new one.")
    organisation = session.get_one(Organisation, row.organisation_id)
    _completed(row, bank, profiles.needed(session, organisation, today))
    session.flush()
    states.record(session, f"mandate:{row.id}", f"completed: {', '.join(sorted(bank))}", told)


def correct(
    session: Session, row: MandateRow, told_otherwise: Mapping[str, object], when: tuple[date, Told]
) -> None:
    """Enter what was agreed or known of a mandate otherwise: `notice_days`, `collected_before`."""
    today, told = when
    if row.ended_on is not None:
        raise UsageRefused(f"The mandate {row.reference} has ended", "Write a new one.")
    known = _last_known(session, row) if "collected_before" in told_otherwise else None
    for name, value in told_otherwise.items():
        setattr(row, name, value)
    _check_past(row.notice_days, row.collected_before, today)
    _check_last(row.collected_before, row.signed_on, known)
    session.flush()
    what = ", ".join(sorted(told_otherwise))
    states.record(session, f"mandate:{row.id}", f"corrected: {what}", told)


def end(session: Session, row: MandateRow, on: date, told: Told) -> None:
    """End a mandate from the day `on`: nothing more is collected under it. Ended, it stays so."""
    if row.ended_on is not None:
        return
    row.ended_on, row.ended_why = on, told.why
    session.flush()
    states.record(session, f"mandate:{row.id}", f"ended on {on}", told)


def erase(session: Session, subscriber_id: int, on: date, told: Told) -> int:
    """Forget account and holder of all mandates of a subscriber, which end; return how many.

    The reference stays, as proof of what was debited. Raises UsageRefused while a debit waits for
    the bank's answer: its file may have to be made again.
    """
    rows = session.scalars(select(MandateRow).where(MandateRow.subscriber_id == subscriber_id))
    waiting = select(CollectionItem.mandate_id).where(
        ~exists().where(
            CollectionAnswer.organisation_id == CollectionItem.organisation_id,
            CollectionAnswer.end_to_end == CollectionItem.end_to_end,
        )
    )
    running, erased = set(session.scalars(waiting)), 0
    for row in rows:
        if row.id in running:
            raise UsageRefused(
                f"A debit under the mandate {row.reference} waits for the bank's answer",
                "Wait for the statement that shows it.",
            )
        end(session, row, on, told)
        row.holder, row.country = ERASED, "FR"
        row.street = row.postcode = row.town = row.iban = row.bic = ""
        erased += 1
    session.flush()
    return erased


def find(session: Session, organisation: Organisation, typed: str) -> MandateRow:
    """Return the mandate of this reference, or raise UsageRefused."""
    mandate = session.scalar(
        select(MandateRow).where(
            MandateRow.organisation_id == organisation.id,
            MandateRow.reference == typed.strip(),
        )
    )
    if mandate is None:
        raise UsageRefused(
            f"{organisation.name} has no mandate {typed[:40]!r}",
            f"See: paquet mandate list {organisation.name!r}",
        )
    return mandate


def everyone(session: Session, organisation_id: int) -> list[MandateRow]:
    """Return all mandates of an organisation, the oldest first."""
    return list(
        session.scalars(
            select(MandateRow)
            .where(MandateRow.organisation_id == organisation_id)
            .order_by(MandateRow.id)
        )
    )


def read(row: MandateRow, profile: Profile, collected: date | None = None) -> Mandate:
    """Return the mandate as SEPA needs it; `collected` is its last debit here."""
    address = profile.address
    return Mandate(
        reference=row.reference,
        creditor_identifier=row.creditor_identifier,
        creditor=MandateParty(
            profile.name, _street(address.lines), address.postcode, address.city, address.country
        ),
        debtor=MandateParty(row.holder, row.street, row.postcode, row.town, row.country),
        iban=row.iban,
        bic=row.bic,
        signed_on=row.signed_on,
        last_collected_on=collected or row.collected_before,
    )


def last_collected(
    session: Session, organisation_id: int, before: int | None = None, mandate_id: int | None = None
) -> Mapping[int, date]:
    """Return the last day on which each mandate was debited, also where the debit came back.

    With `before`, by collections before that number; with `mandate_id`, of that one alone. What the
    bank refused does not count.
    """
    query = (
        select(CollectionItem.mandate_id, func.max(Collection.collect_on).label("last"))
        .join(
            Collection,
            (Collection.organisation_id == CollectionItem.organisation_id)
            & (Collection.number == CollectionItem.collection),
        )
        .outerjoin(
            CollectionAnswer,
            (CollectionAnswer.organisation_id == CollectionItem.organisation_id)
            & (CollectionAnswer.end_to_end == CollectionItem.end_to_end)
            & (CollectionAnswer.state == "refused"),
        )
        .where(CollectionItem.organisation_id == organisation_id, CollectionAnswer.state.is_(None))
        .group_by(CollectionItem.mandate_id)
    )
    if before is not None:
        query = query.where(Collection.number < before)
    if mandate_id is not None:
        query = query.where(CollectionItem.mandate_id == mandate_id)
    return {row.mandate_id: row.last for row in session.execute(query)}


def creditor(profile: Profile) -> Creditor:
    """Return who collects, or raise PaquetError where the profile does not say all of it."""
    if not profile.iban or not profile.creditor_identifier:
        raise PaquetError(
            f"The profile of {profile.name} lacks its IBAN or its creditor identifier (ICS)",
            "Both are needed to collect: describe the organisation with iban and "
            "creditor_identifier.",
        )
    iban = identifiers.iban(profile.iban)
    bic = profile.bic or identifiers.bic_of(iban)
    return Creditor(profile.name, iban, bic, profile.creditor_identifier)


def _check_past(notice_days: int, collected_before: date | None, today: date) -> None:
    if not 1 <= notice_days <= prenotification.MOST_DAYS:
        raise UsageRefused(
            f"A notice of {notice_days} days is not from 1 to {prenotification.MOST_DAYS}"
        )
    if collected_before and sensible_day(collected_before, "the day of a debit") > today:
        raise WordRefused(
            "last_collected_on",
            f"{collected_before} is not yet",
            "Give the last debit that was made.",
        )


def _check_last(last: date | None, signed_on: date | None, known: date | None = None) -> None:
    """Refuse a last debit before the signature, or before one that is known."""
    if last and signed_on and last < signed_on:
        raise WordRefused(
            "last_collected_on",
            f"The last debit, on {last}, is before the signature of {signed_on}",
            "Enter the day that the paper says.",
        )
    if last and known and last < known:
        raise WordRefused(
            "last_collected_on",
            f"There was a later debit, on {known}",
            "An older list says less: leave the cell empty.",
        )


def _last_known(session: Session, row: MandateRow) -> date | None:
    """Return the last debit that is known of a mandate, by another program or here."""
    here = last_collected(session, row.organisation_id, mandate_id=row.id).get(row.id)
    return max(filter(None, (row.collected_before, here)), default=None)


def _reference(session: Session, organisation: Organisation, typed: str) -> str:
    if not typed:
        return next(free_references(session, organisation))
    wanted = reference(typed.strip(), "mandate reference")
    if wanted in _taken(session, organisation):
        raise UsageRefused(f"There is a mandate {wanted} already", "A reference is used once.")
    return wanted


def free_references(
    session: Session, organisation: Organisation, kept: Iterable[str] = ()
) -> Iterator[str]:
    """Yield references for new mandates of an organisation, each once; those `kept` are others'."""
    plain = sepa_text(organisation.name, "name of the organisation", LONGEST_STREET)
    code = "".join(letter for letter in plain.upper() if letter.isalnum())[:LONGEST_CODE]
    taken = _taken(session, organisation)
    number, others = len(taken), taken.union(kept)
    while True:
        number += 1
        next_reference = identifiers.mandate_reference(code, number)
        if next_reference not in others:
            yield next_reference


def _taken(session: Session, organisation: Organisation) -> set[str]:
    ours = MandateRow.organisation_id == organisation.id
    return set(session.scalars(select(MandateRow.reference).where(ours)))


def _completed(row: MandateRow, bank: Mapping[str, str], profile: Profile) -> None:
    """Enter the fields of `bank`, or raise PaquetError for what cannot stand in a mandate."""
    for name, typed in bank.items():
        setattr(row, name, WRITTEN[name](typed) if name in WRITTEN else typed)
    read(row, profile)


def _account(typed: str, profile: Profile) -> dict[str, str]:
    """Return the account that was typed, with its bank; that of the creditor is nobody's."""
    if not typed:
        return {"iban": "", "bic": ""}
    iban = identifiers.iban(typed)
    if profile.iban and iban == identifiers.iban(profile.iban):
        raise UsageRefused(
            f"This is the account of {profile.name} itself", "Give the IBAN of the debtor."
        )
    return {"iban": iban, "bic": identifiers.bic_of(iban)}


def _street(lines: tuple[str, ...]) -> str:
    """Return the lines of an address as one; the first alone where all are too long for a file."""
    together = ", ".join(lines)
    return together if len(together) <= LONGEST_STREET else lines[0]
