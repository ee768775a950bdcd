"""The child that runs one play by ansible-runner and tells its parent, a JSON line per event.

Run as `python -m provision.servers.runner FOLDER PLAYBOOKS FILE WORD ...`; FOLDER is private, in
memory, and gets the files of one play. Ansible starts at once, which takes seconds, and waits for
the rest of its words in FILE: see `waiting`. What it says: see `outcomes`. It keeps nothing:
ansible-runner writes events, environment and output to disk unless told otherwise.
"""

from __future__ import annotations

import json
import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ansible_runner

if TYPE_CHECKING:
    from collections.abc import Mapping

TOLD = frozenset(
    {
        "playbook_on_task_start",
        "runner_on_ok",
        "runner_on_failed",
        "runner_on_unreachable",
        "runner_on_skipped",
        "runner_item_on_failed",
        "playbook_on_stats",
    }
)
KEPT = ("task", "role", "host", "res", "play", "changed", "ok", "failures", "dark", "ignore_errors")


def main() -> int:
    """Run the play of the folder named by the first argument, and return Ansible's exit code."""
    folder, project, *words = Path(sys.argv[1]), *sys.argv[2:]
    waiting = ["-I", "-m", "provision.servers.waiting", *words]
    result = ansible_runner.run(
        private_data_dir=str(folder),
        project_dir=project,
        binary=sys.executable,
        cmdline=shlex.join(waiting),
        envvars={"ANSIBLE_HOST_KEY_CHECKING": "True"},
        settings={"suppress_output_file": True, "suppress_ansible_output": True},
        suppress_env_files=True,
        fact_cache_type="",
        quiet=True,
        event_handler=tell,
    )
    reply = folder / "reply.json"  # of the play itself, see `Play`; the folder ends with us
    if reply.exists():
        print_line({"event": "reply", "private": json.loads(reply.read_text(encoding="utf-8"))})
    return int(result.rc)


def tell(event: Mapping[str, Any]) -> bool:
    """Say what matters of `event` on standard output; False keeps it from being written down."""
    data = event.get("event_data") or {}
    if event["event"] in TOLD:
        said = {key: data[key] for key in KEPT if key in data}
        print_line({"event": event["event"], **said})
    elif event["event"] in ("error", "verbose", "warning") and event.get("stdout"):
        print_line({"event": "said", "text": event["stdout"]})
    return False


def print_line(said: Mapping[str, object]) -> None:
    """Write one JSON line at once."""
    os.write(sys.stdout.fileno(), (json.dumps(said) + "\n").encode())


if __name__ == "__main__":
    raise SystemExit(main())
