"""What logins leave behind in a Nextcloud."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.lab.contract.clients import Clients
from tests.lab.quota_attacks import Attacker

if TYPE_CHECKING:
    from pathlib import Path

    from tests.lab.region import Delivered

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]
# PHP looks for old sessions at one request of a hundred.
AT_MOST, AT_ONCE = 1000, 40
OLD = "sess_0123456789abcdef0123456789abcdef"


def test_a_session_that_nobody_uses_is_cleared(nextcloud: Delivered, tmp_path: Path) -> None:
    attacker = Attacker(nextcloud, Clients(nextcloud, nextcloud.secret, tmp_path), tmp_path)
    unit, server = f"paquet-php@{nextcloud.name}.service", nextcloud.server
    assert attacker.send("PROPFIND", attacker.files, None, 'header = "Depth: 0"') == 207
    shown = ["systemctl", "show", "--value", "--property=MainPID", unit]
    folder = f"/proc/{server.run(shown).stdout.strip()}/root/tmp"
    old = ["install", "-m", "600", "-o", nextcloud.name, "/dev/null", f"{folder}/{OLD}"]
    server.run(old)
    server.run(["touch", "--date=2 days ago", f"{folder}/{OLD}"])

    def ask(number: int) -> int:
        lines = 'header = "Depth: 0"', f'header = "X-Number: {number}"'
        return attacker.send("PROPFIND", attacker.files, None, *lines)

    for _ in range(0, AT_MOST, AT_ONCE):
        assert set(attacker.many(AT_ONCE, ask)) == {207}
        if OLD not in (found := server.run(["ls", folder]).stdout):
            break
    assert OLD not in found
