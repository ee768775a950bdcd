"""Write receipts down, each once, in a series of its own without gaps; cancel one that is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from sqlalchemy import and_, select

from provision.days import sensible_day
from provision.errors import UsageRefused
from provision.formats.facturx import tax_articles, texts
from provision.money import show_euros
from provision.subscriptions.commons.receipts import entering, sealing
from provision.subscriptions.commons.receipts.entering import ReceiptIncome
from provision.subscriptions.documents import describing, numbering
from provision.subscriptions.documents.receipt_models import (
    DONATION,
    MEMBERSHIP,
    NUMBER,
    Receipt,
    ReceiptCancellation,
)
from provision.subscriptions.ledger import chart
from provision.subscriptions.ledger.models import LedgerPosting, LedgerTransaction
from provision.subscriptions.parties import people, profiles

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from provision.database import Row
    from provision.money import Cents
    from provision.subscriptions.commons.receipts.entering import Origin
    from provision.subscriptions.commons.receipts.givers import Giver
    from provision.subscriptions.ledger.journal import Moment
    from provision.subscriptions.parties.models import Organisation
    from provision.subscriptions.parties.profiles import Profile

WORDS = MappingProxyType({MEMBERSHIP: "Cotisation", DONATION: "Don"})
LONGEST_KEY, LONGEST_WHY = 100, 200


@dataclass(frozen=True)
class AskedReceipt:
    """What was received: cents from a giver, by which means.

    `period` is the first and the last day of a membership; a donation has none. `tax` asks for a
    receipt that lowers the donor's tax. `key` makes it one where two are alike. `is_dated` when
    somebody said on which day it was received; else that is the day on which it is written down.
    """

    kind: str
    giver: Giver
    units: Cents
    means: str
    period: tuple[date, date] | None = None
    tax: bool = False
    key: str = ""
    is_dated: bool = True


def record(
    session: Session,
    organisation: Organisation,
    asked: AskedReceipt,
    moment: Moment,
    origin: Origin,
) -> Receipt:
    """Write what was received on a day, its ledger entry and its number; once per key.

    Without a key a fee is the same when giver, days and amount are, whenever it is written down; a
    donation when its day and means are, too. Asked for again it returns the receipt that is there.
    Raises UsageRefused for what is no receipt of an association, or for a tax receipt without the
    right to it.
    """
    _check(organisation, asked)
    key = _key(asked, moment.on, origin)
    there = _same_fee(session, organisation, asked) or _of_key(session, organisation, key)
    if there is not None:
        _check_same(session, there, asked, moment.on)
        _check_origin(there, key, origin)
        return there
    profile = profiles.needed(session, organisation, moment.today)
    describing.check_prefixes(profile)
    articles = _articles(organisation, profile, asked)
    name = numbering.name_of(profile.receipt_prefix, moment.today)
    number = numbering.series(session, organisation.id, name, Receipt).take(moment.today)
    first, last = asked.period or (None, None)
    said: Row = {
        "organisation_id": organisation.id,
        "series": name,
        "number": number,
        "kind": asked.kind,
        "key": key,
        "issued_on": moment.today,
        "received_on": moment.on,
        "party": asked.giver.party,
        "identity_id": asked.giver.identity.id if asked.giver.identity else None,
        "units": asked.units,
        "means": asked.means,
        "first_day": first,
        "last_day": last,
        "articles": articles,
    }
    receipt = Receipt(**said, digest=sealing.digest(said))
    receipt.entry_number = _entered(session, receipt, asked, moment, origin)
    session.add(receipt)
    session.flush()
    return receipt


def cancel(session: Session, receipt: Receipt, why: str, today: date) -> ReceiptCancellation:
    """Write that a receipt does not count, and take it back in the books; it keeps its number.

    Raises UsageRefused when it is cancelled already, or without a reason.
    """
    shown = numbering.shown(receipt.series, receipt.number)
    if cancellation(session, receipt) is not None:
        raise UsageRefused(f"{shown} is cancelled already", "Nothing was written.")
    texts.check_name(why, "reason")
    texts.check_line(why, "reason", LONGEST_WHY)
    between = people.organisation_of(receipt.party) is not None
    receipt_cancellation = ReceiptCancellation(
        organisation_id=receipt.organisation_id,
        series=receipt.series,
        number=receipt.number,
        cancelled_on=today,
        why=why,
        entry_number=None if between else entering.take_back(session, receipt, today),
    )
    session.add(receipt_cancellation)
    session.flush()
    return receipt_cancellation


def cancellation(session: Session, receipt: Receipt) -> ReceiptCancellation | None:
    """Return what cancelled the receipt, if anything did."""
    key = (receipt.organisation_id, receipt.series, receipt.number)
    return session.get(ReceiptCancellation, key)


def find(session: Session, organisation: Organisation, typed: str) -> Receipt:
    """Return the receipt of this number, or raise UsageRefused."""
    receipt = session.get(Receipt, (organisation.id, *numbering.parse(typed)))
    if receipt is None:
        raise UsageRefused(
            f"{organisation.name} has no receipt {typed[:40]}",
            f"See: paquet receipt list {organisation.name!r}",
        )
    return receipt


def everyone(
    session: Session, organisation: Organisation, since: date | None = None
) -> list[Receipt]:
    """Return the receipts of an organisation in the order of their numbers."""
    wanted = select(Receipt).where(Receipt.organisation_id == organisation.id)
    if since is not None:
        wanted = wanted.where(Receipt.issued_on >= since)
    return list(session.scalars(wanted.order_by(Receipt.issued_on, Receipt.series, Receipt.number)))


def _check(organisation: Organisation, asked: AskedReceipt) -> None:
    if organisation.kind != "association":
        raise UsageRefused(
            f"{organisation.name} is a business: it has no members and receives no donations",
            "What it sells is invoiced.",
        )
    if asked.kind == MEMBERSHIP and asked.giver.identity is None:
        raise UsageRefused(
            "The fee of an organisation of the registry would have to be in both their books",
            "Write it down as of a subscriber: an e-mail address, and --kind company.",
        )
    if asked.units <= 0:
        raise UsageRefused("A receipt is about an amount above zero", "Give what was received.")
    texts.check_line(asked.key, "key", LONGEST_KEY)
    if asked.period is not None:
        first, last = (sensible_day(day, "a day of a membership") for day in asked.period)
        if first > last:
            raise UsageRefused(f"The membership ends on {last}, before it begins", "Swap the days.")


def _key(asked: AskedReceipt, on: date, origin: Origin) -> str:
    """Return what makes a receipt one: what was typed, or what it says and is made from.

    Nobody pays the fee of the same days twice, so a fee's day is not in it.
    """
    if asked.key:
        return asked.key
    said = asked.period or (on, asked.means)
    parts: tuple[object, ...] = (asked.kind, asked.giver.party, asked.units, *said)
    if isinstance(origin, Receipt):
        parts = (*parts, "instead of", numbering.shown(origin.series, origin.number))
    elif origin is not None:
        parts = (*parts, "movement", origin.id)
    return ":".join(map(str, parts))


def _of_key(session: Session, organisation: Organisation, key: str) -> Receipt | None:
    return session.scalar(
        select(Receipt).where(Receipt.organisation_id == organisation.id, Receipt.key == key)
    )


def _same_fee(session: Session, organisation: Organisation, asked: AskedReceipt) -> Receipt | None:
    """Return the fee that counts of the same giver, days and amount, unless a key was typed."""
    if asked.key or asked.period is None:
        return None
    first, last = asked.period
    return session.scalar(
        _counting()
        .where(
            Receipt.organisation_id == organisation.id,
            Receipt.party == asked.giver.party,
            Receipt.units == asked.units,
            Receipt.first_day == first,
            Receipt.last_day == last,
        )
        .order_by(Receipt.issued_on, Receipt.number)
        .limit(1)
    )


def _check_origin(there: Receipt, key: str, origin: Origin) -> None:
    """Raise UsageRefused where a receipt that is there is not made from what it should be now."""
    if origin is not None and there.key != key:
        raise UsageRefused(
            f"This fee was written down as {numbering.shown(there.series, there.number)}",
            "If a movement shows it: paquet payment match. Another one needs a --key of its own.",
        )


def _check_same(session: Session, there: Receipt, asked: AskedReceipt, on: date) -> None:
    """Raise UsageRefused unless a receipt that is there says what is asked for."""
    shown = numbering.shown(there.series, there.number)
    received = on if asked.is_dated else there.received_on
    said = (there.kind, there.party, there.units, there.means, there.received_on)
    wanted = (asked.kind, asked.giver.party, asked.units, asked.means, received)
    days = (there.first_day, there.last_day)
    if (said, days, bool(there.articles)) != (wanted, asked.period or (None, None), asked.tax):
        raise UsageRefused(
            f"The same was written down as {shown}, which says something else",
            "Give this one a --key of its own, or cancel the other.",
        )
    if cancellation(session, there) is not None:
        raise UsageRefused(
            f"The same was written down as {shown}, which is cancelled",
            "Give this one a --key of its own.",
        )


def _articles(organisation: Organisation, profile: Profile, asked: AskedReceipt) -> str:
    """Return the articles of the tax code that the donor may use, or ''.

    Raises UsageRefused where receipts cannot be signed, or the right to a tax receipt is missing.
    """
    said = profile.receipts
    if said is None:
        raise UsageRefused(
            f"Nobody knows yet who signs the receipts of {organisation.name}",
            "Add the table [receipts] to its description: templates/organisation.example.toml",
        )
    if not asked.tax:
        return ""
    if not (profile.tax_receipts and said.category and said.source):
        raise UsageRefused(
            f"{organisation.name} may not issue tax receipts as far as its description says",
            "It takes tax_receipts = true, and a category and a source in [receipts].",
        )
    person = asked.giver.person
    if person is not None and person.address is None:
        raise UsageRefused("A tax receipt needs the address of the donor", "Give --street …")
    kind = "company" if person is None else person.kind
    articles = tax_articles.articles_for(said.articles, is_person=kind == "person")
    if not articles or kind == "non-profit":
        raise UsageRefused(
            f"No article of {organisation.name}'s lowers the tax of a {kind}",
            "Leave --tax out, or see `articles` in its description.",
        )
    return articles


def _entered(
    session: Session, receipt: Receipt, asked: AskedReceipt, moment: Moment, origin: Origin
) -> int:
    if people.organisation_of(receipt.party) is not None:
        if origin is not None:
            raise UsageRefused(
                "A gift of an organisation of the registry is in the books already",
                "Its movement: paquet payment awaited, then paquet payment match",
            )
        return _gift(session, receipt)
    income = ReceiptIncome(
        organisation_id=receipt.organisation_id,
        shown=numbering.shown(receipt.series, receipt.number),
        word=WORDS[receipt.kind],
        account=_account(asked),
        party=receipt.party,
        units=receipt.units,
        means=receipt.means,
        digest=receipt.digest,
    )
    return entering.enter(session, income, origin, moment)


def _account(asked: AskedReceipt) -> str:
    if asked.kind == MEMBERSHIP:
        return chart.DUES
    person = asked.giver.person
    company = person is not None and person.kind == "company"
    return chart.GIFTS_RECEIVED if company else chart.GIFTS_OF_PERSONS


def _gift(session: Session, receipt: Receipt) -> int:
    """Return the entry of a gift between organisations, which is in both their books already."""
    posting, entry = LedgerPosting, LedgerTransaction
    entry_number = session.scalar(
        select(posting.number)
        .join(
            entry,
            (entry.organisation_id == posting.organisation_id) & (entry.number == posting.number),
        )
        .where(
            posting.organisation_id == receipt.organisation_id,
            posting.account == chart.GIFTS_RECEIVED,
            posting.party == receipt.party,
            posting.units == -receipt.units,
            entry.effective_on == receipt.received_on,
            posting.number.not_in(_receipted(receipt.organisation_id)),
        )
        .order_by(posting.number)
        .limit(1)
    )
    if entry_number is None:
        raise UsageRefused(
            f"No gift of {show_euros(receipt.units)} of {receipt.received_on} without a receipt "
            "is in the books",
            "Write the gift down first: paquet reciprocity give",
        )
    return entry_number


def _receipted(organisation_id: int) -> Select[int]:
    """Return the entries that have a receipt which counts."""
    mine = Receipt.organisation_id == organisation_id
    return _counting().with_only_columns(Receipt.entry_number).where(mine)


def _counting() -> Select[Receipt]:
    """Ask for the receipts that were not cancelled."""
    receipt, gone = Receipt, ReceiptCancellation
    same = and_(*(getattr(gone, name) == getattr(receipt, name) for name in NUMBER))
    return select(receipt).outerjoin(gone, same).where(gone.number.is_(None))
