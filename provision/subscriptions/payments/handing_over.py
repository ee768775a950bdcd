"""A collection as files in a folder: what the bank takes, and what debtors are told."""

from __future__ import annotations

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
    from pathlib import Path

    from sqlalchemy.orm import Session

    from provision.formats.sepa.prenotification import Announcement
    from provision.subscriptions.parties.models import Organisation
    from provision.subscriptions.payments.mailing import Outbox
    from provision.subscriptions.payments.models import Collection, MandateRow

PRIVATE_FOLDER = 0o700
DEBIT = "debit"  # the stage of its letters


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


def _write_letters(
    session: Session, organisation: Organisation, collection: Collection, outbox: Outbox
) -> None:
    profile = profiles.needed(session, organisation, collection_rows.made_on(collection))
    before = mandates.last_collected(session, organisation.id, collection.number)
    mailed = []
    for items, row in collection_rows.debits_of(session, collection):
        item = items[0]
        notice = Notice(
            mandate=mandates.read(row, profile, before.get(row.id)),
            invoices=tuple(
                (answers.number_of(collection_item).shown, collection_item.units)
                for collection_item in items
            ),
            collect_on=collection.collect_on,
            contact=profile.email,
        )
        language = spoken(row.subscriber.language)
        letter = prenotification.announce(
            notice, item.announced_on, days=row.notice_days, language=language
        )
        _write_letter(outbox.folder / item.reference, letter)
        mailed.append(
            Mailed(
                day=item.announced_on,
                stage=DEBIT,
                to=_addressee(session, row),
                subject=letter.subject,
                units=notice.units,
                invoices=tuple(number for number, _units in notice.invoices),
                file=f"{item.reference}.txt",
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
