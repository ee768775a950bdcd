"""What a run of Ansible is asked to do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic import SecretStr

    from provision.servers.inventory import Host

AN_HOUR = 3600.0  # enough for a first deployment of a slow machine


@dataclass(frozen=True)
class Play:
    """A playbook (a path, or a name in our `playbooks`) for some hosts, and what it is given.

    `variables` are readable by every user of this machine's process list; `secrets` are not: the
    play reads them from the JSON file at the variable `secrets_file`, in `no_log` tasks or silent
    steps. What is secret on the way back it writes as JSON to `reply_file`, in the same private
    folder. Tasks with a tag of `skipped` are passed over.
    """

    playbook: str
    hosts: Sequence[Host]
    variables: Mapping[str, object] = field(default_factory=dict)
    secrets: Mapping[str, SecretStr] = field(default_factory=dict)
    timeout: float = AN_HOUR
    skipped: Sequence[str] = ()
