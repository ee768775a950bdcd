"""`ansible-playbook`, which has read all of its own code and waits to be told its play.

Run as `python -m provision.servers.waiting FILE WORD ...`: once FILE stands, which a JSON list of
the other words comes with in one step, it goes on as `ansible-playbook WORD ... OTHER ...` does.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import ansible.executor.playbook_executor
import ansible.executor.task_queue_manager
import ansible.plugins.loader
import ansible.plugins.strategy.linear  # noqa: F401
from ansible.cli import playbook

OFTEN = 0.01


def main() -> int:
    """Wait for the file, then be ansible-playbook."""
    file, *words = sys.argv[1:]
    while not Path(file).exists():
        time.sleep(OFTEN)
    others = json.loads(Path(file).read_text(encoding="utf-8"))
    playbook.PlaybookCLI.cli_executor(["ansible-playbook", *words, *others])
    return 0  # never: it exits with its own code


if __name__ == "__main__":
    raise SystemExit(main())
