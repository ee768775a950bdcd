"""The only door to Procrastinate: it wakes workers on many machines, and carries nothing else.

A job of it says "look at run N". What a run is and who has it are rows of the registry, and a
server decides itself whom it lets in: a job that is lost, doubled or late does no harm. That is
why its own locks are not used (its issues 1518 and 1543), and why its tables, in a PostgreSQL
schema of their own, are never migrated: another version of it has a schema of another name.
"""

from __future__ import annotations

import asyncio
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

import procrastinate
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from procrastinate.jobs import Status
from procrastinate.schema import SchemaManager
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from provision.jobs.worker import LOOK_SECONDS
from provision.registry.runs import DueRun

if TYPE_CHECKING:
    from procrastinate.jobs import JobDeferrer
    from psycopg import Connection
    from sqlalchemy import Engine

    from provision.jobs.worker import Worker

SCHEMA = "procrastinate_" + procrastinate.__version__.replace(".", "_")
LOCK = 7_220_118  # of this database, while the tables are made
TASK = "look"


def fits(engine: Engine) -> bool:
    """Tell whether the registry `engine` can have this transport."""
    return engine.dialect.name == "postgresql"


def wake(engine: Engine, run: DueRun) -> bool:
    """Have a worker look at a run, at once if one is free; return whether that could be said."""
    try:
        _make_tables(engine)
        app = procrastinate.App(connector=procrastinate.SyncPsycopgConnector(**_words(engine)))
        with app.open(), suppress(AlreadyEnqueued):
            _look(app, run).defer(run=run.id, priority=run.priority)
    except (ConnectorException, SQLAlchemyError):  # no right to make tables, or away
        return False
    return True


def work(worker: Worker) -> None:
    """Work until SIGTERM or SIGINT, and until what was begun has come to a stop."""
    _make_tables(worker.control.engine)
    asyncio.run(_work(worker))


async def _work(worker: Worker) -> None:
    words = _words(worker.control.engine)
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(**words))
    with ThreadPoolExecutor(worker.at_once + 1) as threads:
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()

        @app.task(name=TASK)
        async def look(run: int, priority: int) -> None:
            await loop.run_in_executor(threads, worker.carry, DueRun(run, "", priority))
            ended.set()

        async with app.open_async():
            working = asyncio.create_task(
                app.run_worker_async(
                    queues=list(worker.queues),
                    concurrency=worker.at_once,
                    fetch_job_polling_interval=LOOK_SECONDS,
                    delete_jobs="always",
                    install_signal_handlers=False,
                )
            )
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, _stop, worker, working)
            sweeping = asyncio.create_task(_sweep(app, worker, threads, ended))
            await asyncio.wait([working, sweeping], return_when=asyncio.FIRST_COMPLETED)
            sweeping.cancel()
            _stop(worker, working)
            for ending in await asyncio.gather(working, sweeping, return_exceptions=True):
                if isinstance(ending, Exception):
                    raise ending


def _stop(worker: Worker, working: asyncio.Task[None]) -> None:
    worker.stop()
    working.cancel()


async def _sweep(
    app: procrastinate.App, worker: Worker, threads: ThreadPoolExecutor, ended: asyncio.Event
) -> None:
    """Have somebody look at every run that is due: lost words, dead owners, servers set free."""
    loop = asyncio.get_running_loop()
    while not worker.stopping.is_set():
        ended.clear()
        for run in await loop.run_in_executor(threads, worker.due):
            with suppress(AlreadyEnqueued):
                await _look(app, run).defer_async(run=run.id, priority=run.priority)
        for job in await app.job_manager.get_stalled_jobs():
            await app.job_manager.finish_job(job, Status.FAILED, delete_job=True)
        with suppress(TimeoutError):
            await asyncio.wait_for(ended.wait(), LOOK_SECONDS)


def _look(app: procrastinate.App, run: DueRun) -> JobDeferrer:
    return app.configure_task(
        TASK, queue=run.queue, priority=run.priority, queueing_lock=f"run:{run.id}"
    )


def _words(engine: Engine) -> dict[str, Any]:
    """Return how its pool connects: as the registry does, to tables of its own."""
    url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    return {"conninfo": url, "kwargs": {"options": f"-c search_path={SCHEMA}"}, "min_size": 1}


def _make_tables(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        there = text("SELECT to_regclass(:table)")
        if connection.scalar(there, {"table": f"{SCHEMA}.procrastinate_jobs"}) is None:
            connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
            connection.exec_driver_sql(f"SET LOCAL search_path = {SCHEMA}")
            # The driver's own: its text is many sentences, which take no parameters.
            cast("Connection", connection.connection.driver_connection).execute(
                SchemaManager.get_schema()
            )
