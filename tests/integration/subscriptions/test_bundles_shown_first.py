"""What changes a bundle says first what it will do, truly, and touches nothing until it is told."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr

from provision.backups.repository import Repository
from provision.commands.bundles.backup import backup
from provision.commands.bundles.bundle import bundle
from provision.commands.bundles.order import order
from provision.commands.bundles.phone import phone
from provision.commands.bundles.user import user
from provision.dns.changes import ChangeSet
from provision.errors import PaquetError, UsageRefused
from provision.registry import orders
from provision.workflows import control, ordering, safekeeping, zones
from provision.workflows.ordering import Words
from tests.integration.subscriptions.commanding import ask, read, settled
from tests.integration.subscriptions.leaving_shop import leave
from tests.integration.subscriptions.privacy_shop import DOMAIN, FILE, KEY, NAME, TODAY, everything

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import click

    from provision.commands.shared.context import Context
    from tests.integration.subscriptions.leaving_shop import Leaving

JEANNE, DEVICE, OTHER = f"jeanne@{DOMAIN}", "Téléphone de Jeanne", "paul.paquet.test"
WHY = ("--why", "a test")
PLACED = {
    "email": "paul@exemple.test",
    "name": "Paul",
    "plan": "famille",
    "domain": OTHER,
    "cloud": "light",
    "server": None,
    "sold_by": "Boutique Libre",
    "supported_by": "Les Amis du Libre",
    "login": None,
    "language": None,
    "device": "Téléphone",
    "kind": "android",
}
PLACE = (
    *("place", "anna@exemple.test", "--name", "Anna", "--plan", "famille", "--cloud", "light"),
    *("--domain", "anna.paquet.test", "--sold-by", "Boutique Libre"),
    *("--supported-by", "Les Amis du Libre"),
)
# What is typed, and what must be said of it.
CHANGES: dict[str, tuple[click.Group, tuple[str, ...], dict[str, object]]] = {
    "place": (order, PLACE, {"address": "anna@anna.paquet.test", "backup": "backup1"}),
    "resume": (order, ("resume", "2"), {"order": 2, "server": "bundles1", "state": "placed"}),
    "cancel": (
        order,
        ("cancel", "2", *WHY),
        {"order": 2, "state": "cancelled", "free_again": OTHER, "documents": []},
    ),
    "add": (
        user,
        ("add", DOMAIN, "anna", "--name", "Anna"),
        {"address": f"anna@{DOMAIN}", "server": "bundles1", "people": 2},
    ),
    "limit": (user, ("limit", JEANNE, "--gib", "3"), {"address": JEANNE, "gib": 3}),
    "enrol": (
        phone,
        ("enrol", JEANNE, "--device", "Tablette", "--for", "ios"),
        {"person": f"{NAME} <{JEANNE}>", "device": "Tablette", "for": "ios", "server": "bundles1"},
    ),
    "revoke": (
        phone,
        ("revoke", JEANNE, "--device", DEVICE),
        {"device": DEVICE, "server": "bundles1", "ends": "mail and cloud"},
    ),
    "suspend": (bundle, ("suspend", DOMAIN, *WHY), {"state": "suspended", "logins": "closed"}),
    "open": (bundle, ("resume", DOMAIN), {"state": "active", "logins": "open"}),
    "export": (
        bundle,
        ("export", DOMAIN, "--to", "out"),
        {"first": "a backup from bundles1 to backup1", "folder": "out"},
    ),
    "close": (bundle, ("close", DOMAIN, *WHY), {"state": "closed", "last_day": TODAY.isoformat()}),
    "run": (backup, ("run", DOMAIN), {"from": "bundles1", "to": "backup1"}),
    "restore": (
        backup,
        ("restore", DOMAIN, "--to", "out"),
        {"from": "backup1", "folder": "out"},
    ),
}


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Context]:
    made = settled(tmp_path, FILE, key_file=KEY)
    yield made
    made.engine.dispose()


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """A repository with two snapshots, on this machine."""
    password, folder = SecretStr("tournesol"), tmp_path / "repository"
    (tmp_path / "password").write_text(password.get_secret_value(), "utf-8")
    (tmp_path / "kept.txt").write_text("Grüße", "utf-8")
    restic = ("restic", "--repo", str(folder), "--password-file", str(tmp_path / "password"))
    for words in (("init",), ("backup", "kept.txt"), ("backup", "kept.txt")):
        subprocess.run([*restic, *words], check=True, cwd=tmp_path, capture_output=True)
    made = Repository(str(folder), "nobody", SecretStr(""), password)

    @contextmanager
    def opened(*_: object) -> Iterator[Repository]:
        yield made

    monkeypatch.setattr(safekeeping, "_repository", opened)
    return made


@pytest.fixture
def leaving(
    context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, repository: Repository
) -> Leaving:
    """Jeanne's bundle, which is delivered, and an order of Paul's, which is not."""
    assert repository.snapshots()
    monkeypatch.setattr(control.Control, "today", lambda _control: TODAY)
    monkeypatch.chdir(tmp_path)
    made = leave(context.engine, tmp_path, monkeypatch)
    machine = context.control()
    assert ordering.place(machine, ordering.check(machine, Words(**PLACED))) == 2  # type: ignore[arg-type]
    return made


def there(context: Context, leaving: Leaving, folder: Path) -> tuple[object, ...]:
    """Return all that a change could have touched here, and what servers were told."""
    with context.reading() as session:
        rows = everything(session)
    return rows, sorted(folder.rglob("*")), len(leaving.played)


def test_nothing_is_touched_that_is_only_shown_or_that_nobody_agreed_to(
    context: Context, leaving: Leaving, tmp_path: Path
) -> None:
    """One world for all: what touches it fails here."""
    before = there(context, leaving, tmp_path)
    for name, (group, words, expected) in CHANGES.items():
        told: dict[str, Any] = read(context, group, *words, "--dry-run")
        assert {key: told[key] for key in expected} == expected, name
        assert there(context, leaving, tmp_path) == before, name
        with pytest.raises(UsageRefused, match="Nobody is there to say yes"):
            ask(context, group, *words)
        assert there(context, leaving, tmp_path) == before, name


def test_what_is_left_of_an_order_is_told_step_by_step(context: Context, leaving: Leaving) -> None:
    assert leaving.played == []
    told = read(context, order, "resume", "2", "--dry-run")
    assert [one["step"] for one in told["steps"]] == ["names", "bundle", "device", "checks", "kit"]
    with context.session() as session:
        for step in orders.run_of(session, orders.get(session, 2)).steps[:4]:
            step.state = "done"
    told = read(context, order, "resume", "2", "--dry-run")
    assert [one["step"] for one in told["steps"]] == ["device", "kit"]


def test_of_a_delivered_order_the_story_is_told_and_nobody_is_asked(
    context: Context, leaving: Leaving
) -> None:
    assert read(context, order, "resume", "1")["state"] == "delivered"
    assert leaving.played == []


def test_an_order_is_cancelled_once_and_no_names_of_others_go(
    context: Context, leaving: Leaving, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its domain may be somebody else's since, or its delivery on the way."""
    assert leaving.played == []
    withdrawn: list[str] = []

    def withdraw(bundle: Any, *_: object) -> ChangeSet:  # noqa: ANN401 (a bundle)
        withdrawn.append(bundle.domain)
        return ChangeSet((), (), (), 0)

    monkeypatch.setattr(zones, "withdraw", withdraw)
    with context.session() as session:
        orders.get(session, 2).state = "provisioning"
    with pytest.raises(PaquetError, match="Order 2 is provisioning and cannot be cancelled"):
        ask(context, order, "cancel", "2", *WHY, "--yes")
    with context.session() as session:
        orders.get(session, 2).state = "failed"
    told = read(context, order, "cancel", "2", *WHY, "--yes")
    assert (told["state"], told["free_again"], withdrawn) == ("cancelled", OTHER, [OTHER])
    with pytest.raises(PaquetError, match="Order 2 is cancelled and cannot be cancelled"):
        ask(context, order, "cancel", "2", *WHY, "--yes")
    assert withdrawn == [OTHER]


def test_a_suspended_bundle_is_told_its_server_and_opens_again(
    context: Context, leaving: Leaving
) -> None:
    assert read(context, bundle, "suspend", DOMAIN, *WHY, "--yes")["state"] == "suspended"
    assert leaving.bundle().state == "suspended"
    assert read(context, bundle, "resume", DOMAIN, "--yes")["logins"] == "open"
    assert leaving.told() == [("bundle.yml", "suspended"), ("bundle.yml", "active")]


@pytest.mark.usefixtures("leaving")
def test_the_snapshot_that_is_meant_is_named_before_it_is_restored(
    context: Context, repository: Repository, tmp_path: Path
) -> None:
    first, last = repository.snapshots()
    words = ("restore", DOMAIN, "--to", "out")
    assert read(context, backup, *words, "--dry-run")["snapshot"] == last.id
    for wanted in ("ffffffff", ""):
        with pytest.raises(PaquetError, match=f"{DOMAIN} has no snapshot"):
            ask(context, backup, *words, "--snapshot", wanted, "--yes")
    done = read(context, backup, *words, "--snapshot", first.id[:6], "--yes")
    assert done["snapshot"] == first.id
    assert (tmp_path / "out/kept.txt").read_text("utf-8") == "Grüße"
    with pytest.raises(UsageRefused, match="out is not empty"):
        ask(context, backup, *words, "--dry-run")
