"""What the programs of one bundle reach on the server: every socket, every port, every path."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from provision.errors import PaquetError
from provision.workflows import plays
from tests.lab import reach

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.lab.region import Delivered, Region

    Tell = Callable[[str, object, object], None]

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1800)]
PRECIOUS = "/root/precious"
# What would outlive a bundle's program, or change what is everybody's.
CONTROLS = (
    *("crontab -l", "at now", "sudo -n true", "su root -c true", "loginctl enable-linger"),
    *("systemd-run true", "systemd-run --user true", "systemctl stop nginx", "systemctl reboot"),
    *("systemctl kill nginx", "hostnamectl set-hostname x", "timedatectl set-timezone UTC"),
    *("loginctl terminate-user root", "systemd-creds encrypt - -", "nft list ruleset"),
    *("fail2ban-client status", "rspamadm control stat", "doveadm who", "postsuper -d ALL"),
)
LOOK = ["find", PRECIOUS, "-printf", "%p %u %g %m %c\n"]


@pytest.mark.parametrize("cloud", ["nextcloud", "light"])
def test_nothing_is_reached_but_what_is_needed(
    region: Region, light: Delivered, nextcloud: Delivered, tell: Tell, cloud: str
) -> None:
    pair = (light, nextcloud)
    for one in pair:
        one.server.run(["systemctl", "start", *reach.services(one)])
    bundle, neighbour = pair if cloud == "light" else pair[::-1]
    doors = reach.doors_of(region)
    failures: dict[str, list[str]] = {}
    words = f"{neighbour.domain} {neighbour.host} {neighbour.secret}"
    places = reach.places(bundle)
    for place in places:
        reached = reach.walk(place, bundle, doors, walked=reach.WALKED, words=words)
        what = f"of {cloud}, from {place}"
        tell(f"doors open {what}", f"{len(reached.open)} of {len(doors)}", 0)
        tell(f"paths to write {what}", f"{len(reached.writable)} of {reached.walked}", 0)
        tell(f"paths that tell of a neighbour {what}", len(reached.telling), 0)
        assert reached.walked > 100
        found = reached.open + reached.writable + reached.telling
        failures |= {place: found} if found else {}
    assert len(places) > 2
    assert failures == {}


@pytest.mark.parametrize("cloud", ["nextcloud", "light"])
def test_no_link_that_a_bundle_plants_leads_root_elsewhere(
    request: pytest.FixtureRequest, tell: Tell, cloud: str
) -> None:
    bundle: Delivered = request.getfixturevalue(cloud)
    run, home = bundle.server.run, f"/srv/bundles/{bundle.name}"
    control = bundle.region.control
    names = run(["find", home, "-mindepth", "1", "-maxdepth", "2"]).stdout.splitlines()
    led = []
    run(["mkdir", "-m", "0700", PRECIOUS])
    before = run(LOOK).stdout
    try:
        for name in names:
            run(["mv", name, f"{name}.aside"])
            run(["ln", "-s", PRECIOUS, name])
            run(["chown", "-h", f"{bundle.name}:", name])
            try:
                plays.change(control, plays.bundle_play("bundle.yml", bundle.bundle, control))
            except PaquetError:
                pass  # refusing is as good, and harms nobody else
            finally:
                run(["rm", "-rf", name])
                run(["mv", f"{name}.aside", name])
            led += [name] if run(LOOK).stdout != before else []
    finally:
        run(["rm", "-rf", PRECIOUS])
    tell(f"planted links of {cloud} that root followed", f"{len(led)} of {len(names)}", 0)
    assert len(names) > 3
    assert led == []


def test_a_plain_shell_of_a_bundle_controls_nothing(light: Delivered, tell: Tell) -> None:
    user = [f"--reuid={light.name}", f"--regid={light.name}", "--init-groups"]
    done = {
        words: light.server.run(["timeout", "5", "setpriv", *user, *words.split()], check=False)
        for words in CONTROLS
    }
    obeyed = [words for words, one in done.items() if one.returncode == 0]
    tell("commands that a plain shell of a bundle has obeyed", f"{len(obeyed)} of {len(done)}", 0)
    assert obeyed == []
