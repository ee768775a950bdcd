"""Many kits at once, for an install party: every processor of the machine makes some."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from typing import TYPE_CHECKING

from provision.phones.kits import write_kit
from provision.phones.mobileconfig import read_signer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from provision.phones.devices import Sync
    from provision.phones.kits import Kit
    from provision.phones.mobileconfig import Signer

AT_A_TIME = 8


def write_kits(
    devices: Sequence[tuple[Sync, Path]], chain_and_key: tuple[bytes, bytes] | None = None
) -> list[Kit]:
    """Make the kit of each device in its folder, and return them in the same order.

    `chain_and_key` (PEM) signs the profiles of iPhones. Secrets travel to the workers through
    pipes. The first error ends the work; kits that were made stay.
    """
    fresh = multiprocessing.get_context("spawn")
    tasks = [(sync, folder, chain_and_key) for sync, folder in devices]
    with ProcessPoolExecutor(mp_context=fresh) as workers:
        return list(workers.map(_write_one, tasks, chunksize=AT_A_TIME))


def _write_one(task: tuple[Sync, Path, tuple[bytes, bytes] | None]) -> Kit:
    sync, folder, chain_and_key = task
    return write_kit(sync, folder, _signer(*chain_and_key) if chain_and_key else None)


@cache
def _signer(chain_pem: bytes, key_pem: bytes) -> Signer:
    """Read the key once for each worker: checking an RSA key takes longer than a signature."""
    return read_signer(chain_pem, key_pem)
