"""Orders as processes that are watched, killed, doubled and run side by side."""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from provision.registry.secrets import open_safe
from provision.subscriptions.ledger import posting
from provision.subscriptions.selling import opening
from provision.workflows import checking, ordering, rehearsal
from tests.lab.paquet_runs import PAQUET, files_since, files_with, kill_at, paquet, watching
from tests.lab.pictures import bundle_picture

if TYPE_CHECKING:
    from tests.lab.region import Delivered, Region

pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]
IN_MEMORY = (Path("/dev/shm"), Path("/run"))  # noqa: S108 (looked through, not used)
SEALED = (
    "dkim_private_key",
    "backup_password",
    "backup_login",
    "cloud_admin_password",
    "cloud_mail_secret",
)


def words(domain: str) -> list[str]:
    return [
        *("order", "place", "jeanne@ailleurs.test", "--name", "Jeanne Martin", "--yes", "--again"),
        *("--plan", "essai", "--domain", domain, "--cloud", "light"),
        *("--sold-by", rehearsal.SELLER, "--supported-by", rehearsal.SUPPORTER),
    ]


def number_of(region: Region, domain: str) -> str:
    listed = json.loads(paquet(config(region), "order", "list", "--json"))
    return str(next(row["order"] for row in listed if row["address"].endswith(f"@{domain}")))


def config(region: Region) -> Path:
    return region.folder / "paquet.toml"


@pytest.fixture(scope="module")
def undisturbed(region: Region) -> str:
    """The picture of a bundle that nothing disturbed."""
    paquet(config(region), *words("temoin.paquet.test"))
    return bundle_picture(region, "temoin.paquet.test")


@pytest.mark.parametrize("step", ["names", "bundle", "device", "checks"])
def test_an_order_killed_at_any_step_goes_on_to_the_same_end(
    region: Region, undisturbed: str, step: str
) -> None:
    domain = f"coupe-{step}.paquet.test"
    kill_at(config(region), f"  {step}: ", words(domain))
    paquet(config(region), "order", "resume", number_of(region, domain), "--yes")
    assert bundle_picture(region, domain) == undisturbed


def test_an_order_killed_in_the_middle_of_the_play_goes_on(
    region: Region, undisturbed: str
) -> None:
    domain = "coupe-cloud.paquet.test"
    machine, look = region.machine("bundles1"), ["test", "-e", f"/srv/mail/{domain}"]
    kill_at(
        config(region),
        "The bundle's mail, cloud",
        words(domain),
        once=lambda: machine.run(look, check=False).returncode == 0,
    )
    paquet(config(region), "order", "resume", number_of(region, domain), "--yes")
    assert bundle_picture(region, domain) == undisturbed


def test_an_order_placed_twice_is_delivered_once(region: Region, light: Delivered) -> None:
    domain = "deux-fois.paquet.test"
    paquet(config(region), *words(domain))
    before = bundle_picture(region, domain)
    again = paquet(config(region), *words(domain), "--json")
    assert json.loads(again)["state"] == "delivered"
    assert bundle_picture(region, domain) == before
    listed = json.loads(paquet(config(region), "bundle", "list", "--json"))
    assert [row["domain"] for row in listed].count(domain) == 1
    assert light.domain in {row["domain"] for row in listed}


def test_a_cancelled_order_frees_its_domain_and_nobody_owes_for_it(region: Region) -> None:
    def owed() -> dict[tuple[int, str], int]:
        with region.control.session() as session:
            rows = posting.balance(session)
            return {(one.organisation_id, one.account): one.amount.units for one in rows}

    def state() -> str:
        with region.control.session() as session:
            opened = opening.of_order(session, number)
            assert opened is not None
            return opened.state

    domain = "annule.paquet.test"
    before, wish = owed(), region.wish(domain)
    number = ordering.place(region.control, wish)
    assert state() == "waiting"
    paquet(config(region), "order", "cancel", str(number), "--why", "a change of mind", "--yes")
    assert state() == "ended"
    assert owed() == before
    assert region.wish(domain).domain == domain


def test_two_orders_at_the_same_time_are_both_delivered(region: Region, undisturbed: str) -> None:
    domains = ("paire-un.paquet.test", "paire-deux.paquet.test")
    running = [
        subprocess.Popen([str(PAQUET), "--config", str(config(region)), *words(domain)])
        for domain in domains
    ]
    assert [process.wait() for process in running] == [0, 0]
    assert [bundle_picture(region, domain) for domain in domains] == [undisturbed] * 2


def test_the_secrets_of_an_order_are_nowhere_but_in_the_kit(region: Region) -> None:
    begun = time.time()
    with watching() as watch:
        delivered = region.order("secret.paquet.test")
    with region.control.session() as session:
        safe = open_safe(session, region.control.settings.key_file)
        owner = f"bundle:{delivered.name}"
        sealed = [safe.get(owner, name).get_secret_value() for name in SEALED]
    lines = [secret.splitlines()[1] if "\n" in secret else secret for secret in sealed]
    secrets = [delivered.secret, *lines]
    kit = region.control.kits / delivered.address
    shown = files_with([delivered.secret], files_since(begun, region.folder), [])
    assert str(kit) in {str(Path(path).parent.parent) for path in shown}, "the kit does not show it"
    folders = [region.folder, *IN_MEMORY]
    folders += [Path.home() / ".ansible", Path("/var/log"), Path("/var/lib/paquet")]
    temporary = files_since(begun, Path(tempfile.gettempdir()))
    assert files_with(secrets, [*folders, *temporary], [kit]) == []
    assert len(watch.seen) > 20, "the watch did not look"
    for seen in watch.seen:
        assert not any(secret.encode() in seen for secret in secrets), seen[:200]


def test_after_a_reboot_all_is_green_again(region: Region, light: Delivered) -> None:
    region.lab.reboot("bundles1")
    region.machine("bundles1").run(["systemctl", "is-system-running", "--wait"], check=False)
    findings = checking.check_bundle(region.control, light.bundle, light.enrolled.secret)
    assert [found for found in findings if found.result == "error"] == []
    assert sum(found.result == "ok" for found in findings) > 30
