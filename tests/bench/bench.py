"""`make bench`: what design §9 asks for, measured side by side in one run on lab machines.

Nothing here fails because it is slow: the figures are printed beside their aims.
"""

from __future__ import annotations

import statistics
import tempfile
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click
import yaml

from provision.commands.begin import lab as lab_command
from provision.commands.shared import tables
from provision.commands.shared.context import Context
from provision.lab import keys
from provision.process.commands import Surroundings, run
from provision.servers import artifacts, deploy, inventory
from provision.servers.digests import roles_of
from provision.servers.playbooks import find_playbook
from provision.shipped import share
from provision.workflows import rehearsal, zones
from provision.workflows.claims import claim
from tests.bench import light, pyinfra_run
from tests.bench.figures import Figures, timed
from tests.lab.paquet_runs import paquet
from tests.lab.region import make_region

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provision.lab.lab import Lab
    from tests.lab.region import Region

ORDERS = 20
APT = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]


@contextmanager
def a_lab(name: str) -> Iterator[Lab]:
    """Give a lab with bare machines and take it down afterwards."""
    lab = lab_command.chosen(Context(Path("none.toml")), name)
    lab.down()
    lab.up()
    try:
        yield lab
    finally:
        lab.down()


def packages() -> list[str]:
    """Return the Debian packages that a bundle server gets, from the roles' defaults."""
    found: set[str] = set()
    for role in roles_of(find_playbook("site.yml"), frozenset({"bundles"})):
        defaults = share("playbooks") / "roles" / role / "defaults" / "main.yml"
        if defaults.exists():
            read = yaml.safe_load(defaults.read_text(encoding="utf-8")) or {}
            found |= set(read.get(f"{role}_packages", []))
    return sorted(found)


def apt_alone(lab: Lab) -> float:
    """Install the packages of a bundle server by apt alone."""
    machine = lab.machine("bundles1")
    install = [*APT, "install", "-qy", "--no-install-recommends", *packages()]
    return timed(lambda: (machine.run([*APT, "update", "-q"]), machine.run(install)))


def prepare(figures: Figures) -> None:
    """Compare apt alone with the whole preparation, each on a bare machine."""
    with a_lab("bencha") as lab:
        alone = apt_alone(lab)
    figures.add(f"apt alone, {len(packages())} packages asked for", alone)
    with a_lab("benchb") as lab, tempfile.TemporaryDirectory() as folder:
        control = rehearsal.set_up(lab, Path(folder) / "region", lambda _line: None)
        host = inventory.find(control.settings.inventory, "bundles1")
        zones.publish_own(control.settings)
        key = keys.public_host_key(lab.folder, host.name)
        whole = timed(lambda: rehearsal.prepare(control, host, key))
    figures.add("server prepare, bare machine", whole, aim="≤ 1.2 × apt", ratio=whole / alone)


def converge(figures: Figures, region: Region) -> None:
    """Compare converging a prepared server with pyinfra on as many states."""
    settings = region.control.settings
    host = inventory.find(settings.inventory, "bundles1")
    play = deploy.site_play(host, settings)

    def again(*, drift: bool) -> None:
        deploy.deploy(play, settings, claim(region.control, host), drift=drift)

    again(drift=False)
    states = pyinfra_run.managed(region.machine("bundles1"), packages())
    count = sum(map(len, states))
    figures.add(f"no-op converge by digests ({count} states)", timed(lambda: again(drift=False)))
    drift = timed(lambda: again(drift=True))
    figures.add(f"no-op converge, all {count} states read again", drift, aim="≤ 5 s")
    script = region.folder / "pyinfra_deploy.py"
    script.write_text(pyinfra_run.deploy_script(*states), encoding="utf-8")
    command = pyinfra_run.command(region.lab.ssh_key, host.address, script)
    known = Surroundings(folder=region.folder, timeout=900)
    others = timed(lambda: run(command, surroundings=known))
    figures.add(f"pyinfra, the same {count} states", others, ratio=others / drift)


def orders(figures: Figures, region: Region) -> None:
    """Measure orders on a prepared server: the first, and the twentieth."""
    for cloud, aim in (("light", "≤ 7 s"), ("nextcloud", "≤ 11 s")):
        if cloud == "nextcloud" and not artifacts.cached(region.control.settings, cloud):
            click.echo("nextcloud: skipped, no archive is in the cache", err=True)
            continue
        took = []
        for number in range(ORDERS):
            domain = f"{cloud}{number}.paquet.test"
            took.append(timed(partial(region.order, domain, cloud=cloud)))
        figures.add(f"order {cloud}, the 1st", took[0], aim=aim)
        figures.add(f"order {cloud}, median of {ORDERS}", statistics.median(took), aim=aim)
        ratio = took[-1] / took[0]
        figures.add(f"order {cloud}, the {ORDERS}th", took[-1], aim="≤ 1.2 × 1st", ratio=ratio)
        people(figures, region, f"{cloud}0.paquet.test")


def people(figures: Figures, region: Region, domain: str) -> None:
    """Measure one more person and one more phone as whole commands, in a bundle of three people."""
    run_paquet = partial(paquet, region.folder / "paquet.toml")
    for login in ("deux", "trois"):
        add = partial(run_paquet, "user", "add", domain, login, "--name", login, "--yes")
        figures.add(f"paquet user add {login}, {domain}", timed(add), aim="≤ 5 s")
        phone = ("--device", "banc", "--for", "android", "--yes")
        enrol = partial(run_paquet, "phone", "enrol", f"{login}@{domain}", *phone)
        figures.add(f"paquet phone enrol, {domain}", timed(enrol), aim="≤ 3 s")


def main() -> None:
    """Measure all and print the table."""
    figures = Figures()
    prepare(figures)
    with a_lab("benchc") as lab, tempfile.TemporaryDirectory() as folder:
        region = make_region(lab, Path(folder) / "region")
        converge(figures, region)
        orders(figures, region)
        light.measure(figures, region)
    tables.show(figures.rows, "en", as_json=False)


if __name__ == "__main__":
    main()
