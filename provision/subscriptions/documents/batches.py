"""Many invoices at once: Factur-X on all cores, in the order in which they came."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context
from os import cpu_count
from typing import TYPE_CHECKING

from provision.subscriptions.documents.facturx_xml import facturx

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from concurrent.futures import Future

    from provision.subscriptions.documents.invoice import Invoice

CHUNK = 200  # long enough to hide the cost of sending, short enough to keep all cores busy


def facturx_many(invoices: Iterable[Invoice]) -> Iterator[bytes]:
    """Give the valid XML of each invoice in turn; only a few chunks are in memory at a time.

    Raises PaquetError when an invoice must not be issued; then its whole chunk is not given.
    The processes are spawned, never forked: the caller may have threads and open databases.
    """
    coming, workers = iter(invoices), cpu_count() or 1
    running: deque[Future[list[bytes]]] = deque()
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        try:
            while True:
                while len(running) < 2 * workers and (chunk := tuple(islice(coming, CHUNK))):
                    running.append(pool.submit(_chunk, chunk))
                if not running:
                    return
                yield from running.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


def _chunk(invoices: tuple[Invoice, ...]) -> list[bytes]:
    return [facturx(invoice) for invoice in invoices]
