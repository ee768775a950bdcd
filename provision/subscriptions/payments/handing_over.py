"""A collection as files in a folder: what the bank takes, and what debtors are told."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from provision.errors import PaquetError
from provision.process.files import replace_file
from provision.subscriptions import profiles
from provision.subscriptions.issuing import Number
from provision.subscriptions.payments import collecting, mandates
from provision.subscriptions.sepa import prenotification
from provision.subscriptions.sepa.prenotification import Notice

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.orm import Session

    from provision.subscriptions.models import Organisation
    from provision.subscriptions.payments.models import Collection
    from provision.subscriptions.sepa.prenotification import Letter

PRIVATE_FOLDER = 0o700
TO = "letters.csv"


def write(
    session: Session, organisation: Organisation, made: Collection, folder: Path
) -> list[Path]:
    """Write the files of a collection, then its letters, and return the files for the bank.

    Each is written whole and can be read by nobody else; done again, the same bytes are written.
    `letters.csv` says to whom each letter goes.
    """
    private_folder(folder)
    paths = []
    for one in collecting.files(session, organisation, made):
        paths.append(folder / one.name)
        replace_file(paths[-1], one.content)
    _write_letters(session, organisation, made, folder)
    return paths


def private_folder(folder: Path) -> None:
    """Make a folder that nobody else can read, or use the one that is there."""
    try:
        folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        folder.chmod(PRIVATE_FOLDER)
    except OSError as wrong:
        raise PaquetError(f"{folder} cannot be used: {wrong.strerror}") from None


def _write_letters(
    session: Session, organisation: Organisation, made: Collection, folder: Path
) -> None:
    profile = profiles.needed(session, organisation, collecting.made_on(made))
    before = mandates.last_collected(session, organisation.id, made.number)
    listed = io.StringIO()
    rows = csv.writer(listed)
    rows.writerow(["e_mail", "subject", "file"])
    for item, row in collecting.items_of(session, made):
        notice = Notice(
            mandate=mandates.read(row, profile, before.get(row.id)),
            units=item.units,
            collect_on=made.collect_on,
            invoice_number=Number(organisation.id, item.series, item.invoice).shown,
            contact=profile.email,
        )
        languages = ("fr", "en") if row.subscriber.language == "fr" else ("en", "fr")
        letter = prenotification.announce(
            notice, item.announced_on, days=row.notice_days, languages=languages
        )
        _write_letter(folder / f"{item.end_to_end}", letter)
        rows.writerow([row.subscriber.email, letter.subject, f"{item.end_to_end}.txt"])
    replace_file(folder / TO, listed.getvalue().encode())


def _write_letter(path: Path, letter: Letter) -> None:
    replace_file(path.parent / f"{path.name}.txt", letter.text.encode())
    replace_file(path.parent / f"{path.name}.html", letter.html.encode())
