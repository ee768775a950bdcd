"""A collection as files in a folder: what the bank takes, and what debtors are told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from provision.errors import PaquetError
from provision.formats.sepa import prenotification
from provision.formats.sepa.prenotification import Notice
from provision.languages import spoken
from provision.process.files import replace_file
from provision.subscriptions.parties import identities, profiles
from provision.subscriptions.payments import answers, collecting, collection_rows, mailing, mandates
from provision.subscriptions.payments.mailing import Addressee, Mailed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date
    from pathlib import Path

    from sqlalchemy.orm import Session

    from provision.formats.sepa.prenotification import Announcement
    from provision.subscriptions.parties.models import Organisation
    from provision.subscriptions.parties.profiles import Profile
    from provision.subscriptions.payments.mailing import Outbox
    from provision.subscriptions.payments.models import Collection, CollectionItem, MandateRow

PRIVATE_FOLDER = 0o700
DEBIT = "debit"  # the stage of its letters


@dataclass(frozen=True)
class ToldDebit:
    """One debit of a collection, and all that its announcement says."""

    items: Sequence[CollectionItem]
    row: MandateRow
    collect_on: date
    profile: Profile
    last_collected: date | None

    @property
    def reference(self) -> str:
        """The EndToEndId by which the bank knows it."""
        return self.items[0].reference

    def notice(self) -> Notice:
        """Return what is announced. Raises PaquetError when its mandate cannot be used any more."""
        return Notice(
            mandate=mandates.read(self.row, self.profile, self.last_collected),
            invoices=tuple((answers.number_of(item).shown, item.units) for item in self.items),
            collect_on=self.collect_on,
            contact=self.profile.email,
        )

    def letter(self) -> Announcement:
        """Return the letter that announces it, the same each time; raises as `notice` does."""
        return prenotification.announce(
            self.notice(),
            self.items[0].announced_on,
            days=self.row.notice_days,
            language=spoken(self.row.subscriber.language),
        )


def write(
    session: Session, organisation: Organisation, collection: Collection, outbox: Outbox
) -> list[Path]:
    """Write the files of a collection, then its letters, and return the files for the bank.

    Each is written whole and can be read by nobody else; done again, the same bytes are written.
    The list of letters (`mailing`) says to whom each goes.
    """
    private_folder(outbox.folder)
    mailing.check(outbox)
    paths = []
    for file in collecting.files(session, organisation, collection):
        paths.append(outbox.folder / file.name)
        replace_file(paths[-1], file.content)
    _write_letters(session, organisation, collection, outbox)
    return paths


def private_folder(folder: Path) -> None:
    """Make a folder that nobody else can read, or use the one that is there."""
    try:
        folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        folder.chmod(PRIVATE_FOLDER)
    except OSError as wrong:
        raise PaquetError(f"{folder} cannot be used: {wrong.strerror}") from None


def debits(
    session: Session, organisation: Organisation, collection: Collection
) -> Iterator[ToldDebit]:
    """Yield the debits of a collection, of which each debtor is told."""
    profile = profiles.needed(session, organisation, collection_rows.made_on(collection))
    before = mandates.last_collected(session, organisation.id, collection.number)
    for items, row in collection_rows.debits_of(session, collection):
        yield ToldDebit(items, row, collection.collect_on, profile, before.get(row.id))


def _write_letters(
    session: Session, organisation: Organisation, collection: Collection, outbox: Outbox
) -> None:
    mailed = []
    for debit in debits(session, organisation, collection):
        notice, letter = debit.notice(), debit.letter()
        _write_letter(outbox.folder / debit.reference, letter)
        mailed.append(
            Mailed(
                day=debit.items[0].announced_on,
                stage=DEBIT,
                to=_addressee(session, debit.row),
                subject=letter.subject,
                units=notice.units,
                invoices=tuple(number for number, _units in notice.invoices),
                file=f"{debit.reference}.txt",
            )
        )
    mailing.add(outbox, mailed)


def _addressee(session: Session, row: MandateRow) -> Addressee:
    """Return the holder of the account, where the debtor is known to live today."""
    known = identities.current(session, row.subscriber_id)
    address = identities.read(known).address if known else None
    return Addressee(row.holder, row.subscriber.email, address)


def _write_letter(path: Path, letter: Announcement) -> None:
    replace_file(path.parent / f"{path.name}.txt", letter.text.encode())
    replace_file(path.parent / f"{path.name}.html", letter.html.encode())
