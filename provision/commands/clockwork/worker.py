"""`paquet worker`: carries out what waits, beside the commands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from provision.commands.shared import progress
from provision.commands.shared.changing import agreed, change_options
from provision.commands.shared.context import pass_context
from provision.commands.shared.words import typed
from provision.jobs import polling, reading, transport
from provision.jobs.worker import AT_ONCE, QUEUES, Worker

if TYPE_CHECKING:
    from provision.commands.shared.changing import How
    from provision.commands.shared.context import Context


@dataclass(frozen=True)
class Working:
    """Which runs a worker takes, and how many at once."""

    queues: tuple[str, ...]
    at_once: int


@click.command()
@click.option(
    "--queues",
    multiple=True,
    type=click.Choice(QUEUES),
    help="Only runs of these; else of all. May be given more than once.",
)
@click.option("--at-once", type=click.IntRange(1, 64), default=AT_ONCE, show_default=True)
@typed(Working, "wanted")
@change_options
@pass_context
def worker(context: Context, wanted: Working, how: How) -> None:
    """Carry out what waits and what the schedule brings, until it is stopped (SIGTERM, Ctrl-C).

    Several share one PostgreSQL registry, on as many machines; one works beside an SQLite file. A
    run whose worker died is taken over within a minute. See docs/fleet.md.
    """
    waiting = reading.listing(context.control(), reading.WAITS)
    if not agreed(context, waiting, how, "Carry these out, and what comes?"):
        return
    with progress.steps(quiet=how.as_json) as tell:
        carrier = Worker(
            context.control(tell), context.config, wanted.queues or QUEUES, wanted.at_once
        )
        work = transport.work if transport.fits(context.engine) else polling.work
        work(carrier)
