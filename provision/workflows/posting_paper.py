"""Letters for the letterbox: one PDF of all that cannot go by e-mail, noted as printed after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from provision import database
from provision.errors import PaquetError
from provision.post import letterbox, outbox
from provision.post.letterbox import PaperLetter
from provision.post.outbox import CANCELLED, PRINTED
from provision.process.files import write_private
from provision.workflows import posting_checks, posting_enclosures

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from sqlalchemy.orm import Session

    from provision.post.letterbox import Sheets
    from provision.post.models import Letter
    from provision.post.outbox import Recipient
    from provision.workflows.control import Control

NAME = "letters-{}.pdf"


@dataclass(frozen=True)
class NotPrinted:
    """A letter that is not printed: what becomes of it, and why."""

    letter: Letter
    state: str
    why: str

    @property
    def is_over(self) -> bool:
        """Whether it is not meant any more."""
        return self.state == CANCELLED


@dataclass(frozen=True)
class Laid:
    """What is to be printed, by postcode, and what is left out."""

    letters: tuple[PaperLetter, ...]
    left_out: tuple[NotPrinted, ...]


def waiting(control: Control) -> Laid:
    """Return what would be printed now; nothing is written."""
    chosen: list[Letter] = []
    left_out: list[NotPrinted] = []
    with control.reading() as session:
        letters = outbox.on_paper(session)
        moved = posting_checks.moved(session, letters)
        for letter in letters:
            verdict = posting_checks.look_again(control, session, letter)
            if verdict is None:
                chosen.append(letter)
            else:
                left_out.append(NotPrinted(letter, *verdict))
    _address(chosen, moved)
    laid = []
    for letter in chosen:
        try:
            laid.append(PaperLetter(letter, posting_enclosures.files(control, letter)))
        except PaquetError as refused:
            left_out.append(NotPrinted(letter, letter.state, refused.message))
    return Laid(tuple(laid), tuple(left_out))


def _address(letters: Iterable[Letter], moved: Mapping[int, Recipient]) -> None:
    """Put the postal addresses of today on letters, which no session holds any more."""
    for letter in letters:
        to = moved.get(letter.id)
        if to is not None and to.address:
            letter.to_name, letter.address, letter.postcode = to.name, to.address, to.postcode


def write(
    control: Control, laid: Laid, folder: Path, *, duplex: bool = False
) -> tuple[Path, Sheets]:
    """Write the PDF of all letters into a folder that nobody else reads; return where each begins.

    Letters are noted as printed only afterwards: done again before that, the file is replaced.
    """
    language = control.settings.operator.language
    sheets = letterbox.bound(laid.letters, language, duplex=duplex)
    numbers = sorted(paper.letter.id for paper in laid.letters)
    name = NAME.format(f"{control.today()}-{numbers[0]}-{numbers[-1]}")
    (path,) = write_private(folder, {name: sheets.pdf})
    return path, sheets


def printed(control: Control, laid: Laid) -> list[int]:
    """Note the letters as printed, those that still wait for it; return their numbers.

    What was left out because it is not meant any more is cancelled.
    """
    printed_as = {paper.letter.id: paper.letter for paper in laid.letters}
    after = dict.fromkeys(printed_as, (PRINTED, "printed"))
    after |= {stale.letter.id: (CANCELLED, stale.why) for stale in laid.left_out if stale.is_over}

    def work(session: Session) -> list[int]:
        there = {letter.id: letter for letter in outbox.on_paper(session)}
        done = []
        for number, (state, why) in after.items():
            if number not in there:
                continue
            outbox.change(session, there[number], state, control.told(), why)
            if state == PRINTED:
                paper = printed_as[number]
                there[number].address, there[number].postcode = paper.address, paper.postcode
                done.append(number)
        return done

    return database.retried(control.engine, work)
