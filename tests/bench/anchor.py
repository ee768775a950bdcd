"""`python -m tests.bench.anchor`: the times of the stand-in, from real light bundles on one server.

Orders so many bundles on one lab server, looks at all of them, brings them all to this release,
and puts some backups back; writes what a bundle took of each into `anchor.json`.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provision.commands.begin import lab as lab_command
from provision.commands.shared.context import Context
from provision.jobs import bundles as bundle_runs
from provision.jobs import checks, starting
from provision.workflows import bundles, safekeeping
from tests.bench.figures import timed
from tests.bench.fleet import ANCHOR
from tests.lab.region import make_region

if TYPE_CHECKING:
    from tests.lab.region import Region

BUNDLES, DRILLS, NAME = 200, 10, "anchor"


def ordered(region: Region, count: int) -> list[float]:
    """Order so many bundles, one after the other; return the seconds of each."""
    seconds = []
    for number in range(count):
        seconds.append(timed(partial(region.order, f"n{number:03}.paquet.test")))
        if number % 10 == 0:
            click.echo(f"order {number + 1}: {seconds[-1]:.1f} s", err=True)
    return seconds


def measured(region: Region, count: int) -> dict[str, float]:
    """Return the seconds of one bundle in each kind of run, and of a server's own look."""
    seconds, control = ordered(region, count), region.control
    standing = bundles.standing_on(control, "bundles1")
    alone = timed(lambda: starting.see_through(control, checks.of_server("bundles1")))
    names = [bundle.name for bundle in standing]
    looks = timed(lambda: starting.see_through(control, checks.of_server("bundles1", names)))
    (wanted,) = bundle_runs.deployments(standing)
    wave = timed(lambda: starting.see_through(control, wanted))
    drills = [timed(partial(drill, region, bundle.domain)) for bundle in standing[:DRILLS]]
    click.echo(
        f"the {count} orders: first {seconds[0]:.1f} s, median "
        f"{statistics.median(seconds):.1f} s, last {seconds[-1]:.1f} s",
        err=True,
    )
    return {
        "server": round(alone, 2),
        "check": round((looks - alone) / count, 2),
        "upgrade": round(wave / count, 2),
        "drill": round(statistics.median(drills), 2),
    }


def drill(region: Region, domain: str) -> None:
    """Put the newest snapshot back into a folder of this machine."""
    with tempfile.TemporaryDirectory() as folder:
        safekeeping.restore(region.control, domain, Path(folder) / "restored", "latest")


def main() -> None:
    """Measure on a lab of its own, and write the anchor."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.anchor", description=__doc__)
    parser.add_argument("--bundles", type=int, default=BUNDLES)
    count = parser.parse_args().bundles
    lab = lab_command.chosen(Context(Path("none.toml")), NAME)
    lab.down()
    lab.up()
    try:
        with tempfile.TemporaryDirectory() as folder:
            found = {"bundles": count, **measured(make_region(lab, Path(folder) / "region"), count)}
    finally:
        lab.down()
    ANCHOR.write_text(json.dumps(found, indent=2) + "\n", "utf-8")
    click.echo(json.dumps(found))


if __name__ == "__main__":
    main()
