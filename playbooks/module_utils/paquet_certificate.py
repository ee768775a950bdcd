"""Have the server's certificate program see that certificates stand and are good."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from ansible.module_utils.paquet_paths import Refused

ARGUMENTS = {
    "names": {"type": "list", "elements": "str", "required": True},
    "required": {"type": "bool", "default": False},
    "wait": {"type": "bool", "default": True},
    "program": {"type": "path", "default": "/usr/local/lib/paquet/certificate"},
}


def bring(params: dict[str, Any], *, check: bool) -> dict[str, Any]:
    """Run the program, and refuse or warn of what it could not have."""
    command = [params["program"], "ensure", *params["names"]]
    command += ["--check"] if check else []
    command += [] if params["wait"] else ["--later"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        if check:
            return {"changed": True, "paquet": {}}
        raise
    if done.returncode:
        raise Refused("".join(done.stderr.strip().splitlines()[-1:]))
    told = json.loads(done.stdout)
    problems = [
        f"{name}: {certificate['problem']}"
        for name, certificate in told.items()
        if certificate["problem"]
    ]
    changed = any(certificate["changed"] for certificate in told.values())
    if problems and params["required"]:
        raise Refused("no certificate for " + "; ".join(problems), changed=changed)
    warnings = [f"no certificate yet for {problem}" for problem in problems]
    return {"changed": changed, "paquet": {"certificates": told}, "warnings": warnings}
