"""The whole story on lab machines: from nothing to a delivered bundle, its kit and its money."""

from __future__ import annotations

import json
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from provision import database, rendering, settings, shipped
from provision.lab import keys
from provision.migrations import upgrades
from provision.registry import fences, secrets
from provision.servers import artifacts, inventory, preparation
from provision.servers.inventory import Host
from provision.subscriptions.offers import contracts, planfile, plans
from provision.subscriptions.parties import organisations
from provision.workflows import checking, ordering, orders, rehearsal_money, zones
from provision.workflows.claims import claim
from provision.workflows.control import Control
from provision.workflows.ordering import Words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import date
    from pathlib import Path

    from provision.lab.lab import Lab
    from provision.workflows.onboard import Delivery

Deliver: TypeAlias = "Callable[[Control, int], Delivery]"
SELLER, SUPPORTER, PLAN = "Atelier du Web", "Nuage Libre", "famille"
LOGIN, PLACE = "jeanne.martin", "jeanne"
SERVERS = {"bundles1": "bundles", "backup1": "backup"}


@dataclass
class RehearsalReport:
    """What happened: `steps` with their seconds, `checks` with their results."""

    cloud: str = ""
    why_this_cloud: str = ""
    kit: str = ""
    address: str = ""
    web: str = ""
    order: int = 0
    total_seconds: float = 0.0
    steps: list[dict[str, object]] = field(default_factory=list)
    checks: list[dict[str, str]] = field(default_factory=list)
    money: list[dict[str, object]] = field(default_factory=list)


def rehearse(
    lab: Lab, folder: Path, tell: Callable[[str], None], deliver: Deliver
) -> RehearsalReport:
    """Rehearse in `folder`, from nothing; the lab stays up, to be looked at."""
    started, report = time.monotonic(), RehearsalReport()
    clean(lab, folder)
    with _step(report, "lab", tell):
        lab.up()
    with _step(report, "settings", tell):
        control = set_up(lab, folder, tell)
    with _step(report, "prepare", tell):
        prepare_all(control, lab)
    with _step(report, "plans", tell):
        sell(control, control.today())
    _order(control, report, deliver)
    with _step(report, "money", tell):
        story = rehearsal_money.Story(control, SELLER, SUPPORTER, folder / "money")
        rehearsal_money.rehearse(story)
    report.money = story.told
    report.total_seconds = round(time.monotonic() - started, 2)
    path = folder / "report.json"
    path.write_text(json.dumps(vars(report), ensure_ascii=False, indent=2), encoding="utf-8")
    return report


def clean(lab: Lab, folder: Path) -> None:
    """Take the lab down and remove what an earlier rehearsal left."""
    lab.down()
    shutil.rmtree(folder, ignore_errors=True)


def set_up(lab: Lab, folder: Path, tell: Callable[[str], None]) -> Control:
    """Write settings, key and inventory for the machines of `lab`, and open the registry."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    facts, path = cast("dict[str, Any]", lab.facts()), folder / "paquet.toml"
    words = {
        "zone": facts["zones"]["operator"],
        "contact": facts["foreign_mail"]["address"],
        "acme": facts["acme"],
        "names": facts["names"],
        "resolver": facts["resolver"],
        "mail_server": facts["foreign_mail"]["server_name"],
        "mirror": lab.mirror,
        "security_mirror": lab.security_mirror,
        "lab": lab.name,
        "sender": f"{LOGIN}@{PLACE}.{facts['zones']['operator']}",
        "today": datetime.now(UTC).astimezone().date(),
        "quoted": json.dumps,
    }
    path.write_text(rendering.render("rehearsal.toml.j2", words), encoding="utf-8")
    read = settings.load(path)
    secrets.make_key_file(read.key_file)
    for name, group in SERVERS.items():
        machine = facts["machines"][name]
        host = Host(
            name=name,
            address=machine["address"],
            server_name=machine["name"],
            key_file=lab.ssh_key,
            groups=frozenset({group}),
        )
        inventory.append(read.inventory, host)
    engine = database.connect(read.registry.url)
    upgrades.upgrade(engine)
    return Control(read, engine, "rehearsal", tell=tell)


def prepare_all(control: Control, lab: Lab) -> None:
    """Give both servers their names and prepare them side by side."""
    zones.publish_own(control.settings)
    hosts = list(inventory.read(control.settings.inventory).values())
    host_keys = [keys.public_host_key(lab.folder, host.name) for host in hosts]
    with ThreadPoolExecutor(len(hosts)) as threads:
        list(threads.map(partial(prepare, control), hosts, host_keys))


def prepare(control: Control, host: Host, host_key: str) -> None:
    """Prepare `host`, whose key is known, and note that in the registry."""
    person = preparation.Answering(
        confirm_key=lambda _key: False,
        tell=lambda line: control.tell(f"  {host.name}: {line}"),
        on_part=lambda part: control.tell(f"  {host.name}: {part.role}: {part.words}"),
        host_key=host_key,
    )
    preparation.prepare(host, control.settings, claim(control, host), person)
    with control.session() as session:
        fences.known_server(session, host.name).prepared_at = control.clock()


def sell(control: Control, today: date) -> None:
    """Write who sells and supports, under which contract, and the plans of the example."""
    with control.session() as session:
        seller = organisations.add(session, SELLER, "business")
        supporter = organisations.add(session, SUPPORTER, "association")
        shares = contracts.two(seller, supporter, (70, 30))
        contracts.add(session, seller, supporter, shares, terms=("resale", today.replace(day=1)))
        contracts.alone(session, supporter, today.replace(day=1))
        example = shipped.share("templates") / "plans.example.toml"
        plans.bring_in(session, planfile.read(example))


def _order(control: Control, report: RehearsalReport, deliver: Deliver) -> None:
    report.cloud, report.why_this_cloud = _cloud(control)
    control.tell(f"order ({report.cloud}: {report.why_this_cloud})")
    zone = control.settings.operator.zone
    wish = ordering.check(
        control,
        Words(
            email=f"{LOGIN}@ailleurs.test",
            name="Jeanne Martin",
            plan=PLAN,
            domain=f"{PLACE}.{zone}",
            cloud=report.cloud,
            server=None,
            sold_by=SELLER,
            supported_by=SUPPORTER,
            login=None,
            language=None,
            device="Téléphone",
            kind="android",
        ),
    )
    report.order = ordering.place(control, wish)
    delivery = deliver(control, report.order)
    story = orders.story(control, report.order)
    report.address, report.web = str(story["address"]), str(story["web"])
    report.kit = str(delivery.kit)
    for step in story["steps"]:  # type: ignore[attr-defined]
        report.steps.append({"name": f"order: {step['step']}", "seconds": step["seconds"]})
    report.checks = [
        {"name": finding.check, "result": finding.result.value} for finding in delivery.findings
    ]
    for name in SERVERS:
        report.checks += [
            {"name": f"{name}: {finding.check}", "result": finding.result.value}
            for finding in checking.check_server(control, name)
        ]


def _cloud(control: Control) -> tuple[str, str]:
    """Return the cloud to rehearse with, and why."""
    if artifacts.cached(control.settings, "nextcloud"):
        return "nextcloud", "its archive is in the cache"
    return "light", "no Nextcloud archive is in the cache: see `paquet artifact --help`"


@contextmanager
def _step(report: RehearsalReport, name: str, tell: Callable[[str], None]) -> Iterator[None]:
    tell(name)
    started = time.monotonic()
    yield
    report.steps.append({"name": name, "seconds": round(time.monotonic() - started, 2)})
