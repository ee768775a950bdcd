"""The units of systemd by which a control machine works while nobody types: `init --worker`."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from provision import rendering, settings
from provision.commands.shared.changing import agreed
from provision.errors import UsageRefused
from provision.process.files import replace_file

if TYPE_CHECKING:
    from provision.commands.shared.changing import How
    from provision.commands.shared.context import Context

UNITS = {
    "paquet-worker.service": "a worker, which carries out all that waits",
    "paquet-schedule.service": "without a worker: what comes by itself",
    "paquet-schedule.timer": "calls that one every five minutes",
}
READABLE = 0o644
AFTERWARDS = "Then, as root: systemctl enable --now {} (or {})"


def write(context: Context, how: How) -> None:
    """Write the units beside the settings, which they name; what is there is written anew."""
    settings.load(context.config)  # they must be good
    config = context.config.resolve()
    words = {
        "paquet": _checked(Path(sys.argv[0]).resolve()),
        "config": _checked(config),
        "folder": _checked(config.parent),
        "user": getpass.getuser(),
    }
    worker, _service, timer = (str(config.parent / name) for name in UNITS)
    facts = {
        "files": [
            {"file": str(config.parent / name), "holds": what} for name, what in UNITS.items()
        ],
        "then": AFTERWARDS.format(worker, timer),
    }
    if agreed(context, facts, how, "Write them?"):
        for name in UNITS:
            file = config.parent / name
            replace_file(file, rendering.render(f"systemd/{name}", words).encode())
            file.chmod(READABLE)
        context.show(facts, as_json=how.as_json)


def _checked(path: Path) -> str:
    """Return a path as a unit may name it: systemd.unit(5) gives % and blanks a meaning."""
    if any(letter in str(path) for letter in "% \"'\\\n"):
        raise UsageRefused(f"A unit of systemd cannot name {path}", "Move it to a plain path.")
    return str(path)
