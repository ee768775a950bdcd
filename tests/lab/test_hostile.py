"""Hostile names and domains go through an order to real machines, or are refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from provision import edges
from provision.errors import UsageRefused
from provision.registry.models import Bundle, User
from provision.servers import artifacts
from provision.workflows import bundles, checking, ordering, plays
from tests.lab import hostile
from tests.lab.region import WORDS

if TYPE_CHECKING:
    from tests.lab.region import Region

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]
TABLES = "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'"
# Each goes through an order of its own: a template, a shell, SQL, markup and quotes in one name.
WORST = (
    f'{{{{ lookup("pipe", "touch {hostile.CANARY}") }}}}',
    f"'\"; $(touch {hostile.CANARY}) `id` <b>&amp;",
    "Robert'); DROP TABLE mailbox;-- \\ %s %h",
)


def nothing_was_executed(region: Region) -> None:
    assert not Path(hostile.CANARY).exists(), "executed on the control machine"
    for name in ("bundles1", "backup1", "internet"):
        found = region.machine(name).run(["ls", hostile.CANARY], check=False)
        assert found.returncode != 0, f"executed on {name}"


def is_accepted(typed: str) -> bool:
    try:
        edges.person_name(typed)
    except UsageRefused:
        return False
    return True


def test_there_are_five_hundred() -> None:
    assert len(hostile.names()) == 250
    assert len(hostile.domains()) == 250


def test_a_canary_would_be_seen(region: Region) -> None:
    region.machine("bundles1").run(["touch", hostile.CANARY])
    with pytest.raises(AssertionError, match="executed on bundles1"):
        nothing_was_executed(region)
    region.machine("bundles1").run(["rm", hostile.CANARY])


@pytest.mark.parametrize("domain", hostile.domains())
def test_a_hostile_domain_is_refused_or_harmless(region: Region, domain: str) -> None:
    try:
        told = ordering.check(region.control, replace(WORDS, domain=domain)).domain
        assert set(told) <= set("abcdefghijklmnopqrstuvwxyz0123456789.-")
    except UsageRefused as refused:
        told = refused.message
    assert told.isprintable()


@pytest.mark.parametrize("number", range(len(WORST)))
def test_the_worst_names_are_delivered_as_text(region: Region, number: int) -> None:
    delivered = region.order(f"hostile{number}.paquet.test", name=WORST[number])
    page = (delivered.region.control.kits / delivered.address).glob("*/kit.html")
    assert next(page).exists()
    nothing_was_executed(region)


@pytest.mark.parametrize("cloud", ["light", "nextcloud"])
def test_every_accepted_name_goes_to_the_server_as_text(region: Region, cloud: str) -> None:
    if cloud == "nextcloud" and not artifacts.cached(region.control.settings, "nextcloud"):
        pytest.skip("no Nextcloud archive is in the cache: see `paquet artifact --help`")
    crowd = region.order(f"foule-{cloud}.paquet.test", cloud=cloud)
    accepted = [typed for typed in hostile.names() if is_accepted(typed)]
    assert len(accepted) > 150
    # Nextcloud makes a user in a third of a second: one in eight of the names there, all on light.
    some = accepted if cloud == "light" else accepted[::8]
    with region.control.session() as session:
        bundle = session.get_one(Bundle, crowd.bundle.id)
        for number, name in enumerate(some):
            address = f"hostile{number}@{bundle.domain}"
            bundle.users.append(
                User(address=address, display_name=name, language="fr", quota_bytes=1 << 20)
            )
    plays.change(region.control, plays.bundle_play("bundle.yml", bundle, region.control))
    nothing_was_executed(region)
    tables = ["runuser", "-u", "postgres", "--", "psql", "-qAtc", TABLES, "mail"]
    assert int(region.machine("bundles1").run(tables).stdout) == 4
    found = checking.check_bundle(region.control, crowd.bundle, crowd.enrolled.secret)
    assert [one for one in found if one.result == "error"] == []
    assert len(bundles.find(region.control, bundle.domain).users) == len(some) + 1
