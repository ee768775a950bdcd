"""Many invoices at once: the same work on all cores, in the order in which they came."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from multiprocessing import get_context
from os import cpu_count
from typing import TYPE_CHECKING, TypeVar

from provision.errors import PaquetError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Future

    from provision.formats.facturx.invoice import PaperInvoice

Made = TypeVar("Made")
CHUNK = 100  # long enough to hide the cost of sending, short enough to keep all cores busy
FEW = 20  # are done sooner than another process has begun


@dataclass(frozen=True)
class Refused:
    """A document that cannot be made: its number, and why in one sentence with its hint."""

    number: str
    why: str


def refusal(number: str, wrong: PaquetError) -> Refused:
    """Return an expected failure as what became of one document of many."""
    return Refused(number, f"{wrong.message}. {wrong.hint}".rstrip(". ") + ".")


def many(
    work: Callable[[PaperInvoice], Made], documents: Iterable[PaperInvoice | Refused]
) -> Iterator[Made | Refused]:
    """Give what `work`, a function of a module, makes of each document in turn.

    One that `work` refuses, or that could not even be read, is given as `Refused`; the others go
    on. A few are done here; more on all cores, with only a few chunks in memory at a time. The
    processes are spawned, never forked: the caller may have threads and open databases.
    """
    coming = iter(documents)
    first = tuple(islice(coming, FEW + 1))
    if len(first) <= FEW:
        yield from map(partial(_outcome, work), first)
        return
    yield from _spread(work, chain(first, coming))


def _spread(
    work: Callable[[PaperInvoice], Made], coming: Iterator[PaperInvoice | Refused]
) -> Iterator[Made | Refused]:
    workers = cpu_count() or 1
    running: deque[Future[list[Made | Refused]]] = deque()
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        try:
            while True:
                while len(running) < 2 * workers and (chunk := tuple(islice(coming, CHUNK))):
                    running.append(pool.submit(_chunk, work, chunk))
                if not running:
                    return
                yield from running.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


def _chunk(
    work: Callable[[PaperInvoice], Made], documents: tuple[PaperInvoice | Refused, ...]
) -> list[Made | Refused]:
    return [_outcome(work, document) for document in documents]


def _outcome(
    work: Callable[[PaperInvoice], Made], document: PaperInvoice | Refused
) -> Made | Refused:
    if isinstance(document, Refused):
        return document
    try:
        return work(document)
    except PaquetError as wrong:
        return refusal(document.number, wrong)
