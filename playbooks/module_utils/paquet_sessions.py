"""End the open mail sessions of one device (its id) or of a whole domain: one of both is given.

A revoked device is refused at its next login; what it has open ends here. Dovecot knows a session's
device by the field `user_device` of its password look-up. Check mode foresees no end.
"""

from __future__ import annotations

import re
import subprocess
from typing import Any

from ansible.module_utils.paquet_paths import Refused

# doveadm takes a pattern: a star would end everybody's sessions
PLAIN = re.compile(r"[A-Za-z0-9._-]+")
DOVEADM = "/usr/bin/doveadm"
ARGUMENTS = {"device": {}, "domain": {}}


def bring(params: dict[str, Any], *, check: bool) -> dict[str, Any]:
    """Kick them out; the result tells how many there were as `ended`."""
    given = [word for word in (params["device"], params["domain"]) if word is not None]
    if len(given) != 1 or not PLAIN.fullmatch(given[0]):
        raise Refused(f"{' and '.join(given)!r} is no id of a device and no domain")
    if check:
        return {"changed": False, "ended": 0}
    whom = ["-f", "user_device", *given] if params["device"] else [f"*@{given[0]}"]
    command = [DOVEADM, "kick", *whom]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Refused(f"{' '.join(command)}: {done.stderr.strip()}")
    ended = int(done.stdout.split()[0])  # "1 connections kicked"
    return {"changed": ended > 0, "ended": ended}
