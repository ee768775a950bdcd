"""Many invoices at once: the same work on all cores, in the order in which they came."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ProcessPoolExecutor
from itertools import chain, islice
from multiprocessing import get_context
from os import cpu_count
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Future

    from provision.subscriptions.documents.invoice import Invoice

Made = TypeVar("Made")
CHUNK = 100  # long enough to hide the cost of sending, short enough to keep all cores busy
FEW = 20  # are done sooner than another process has begun


def many(work: Callable[[Invoice], Made], invoices: Iterable[Invoice]) -> Iterator[Made]:
    """Give what `work`, a function of a module, makes of each invoice in turn.

    A few are done here; more on all cores, with only a few chunks in memory at a time. Raises what
    `work` raises; then its whole chunk is not given. The processes are spawned, never forked: the
    caller may have threads and open databases.
    """
    coming = iter(invoices)
    first = tuple(islice(coming, FEW + 1))
    if len(first) <= FEW:
        yield from map(work, first)
        return
    yield from _spread(work, chain(first, coming))


def _spread(work: Callable[[Invoice], Made], coming: Iterator[Invoice]) -> Iterator[Made]:
    workers = cpu_count() or 1
    running: deque[Future[list[Made]]] = deque()
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


def _chunk(work: Callable[[Invoice], Made], invoices: tuple[Invoice, ...]) -> list[Made]:
    return [work(invoice) for invoice in invoices]
