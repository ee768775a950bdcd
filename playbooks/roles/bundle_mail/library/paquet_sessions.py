#!/usr/bin/python
"""End the open mail sessions of one device or of a whole domain."""

from __future__ import annotations

import re
import subprocess

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = """
module: paquet_sessions
short_description: End the open mail sessions of one device, or of all users of a domain
description:
  - A revoked device is refused at its next login; what it has open ends here.
  - Dovecot knows a session's device by the field C(user_device) of its password look-up.
  - Check mode does not foresee which sessions would end.
options:
  device: {type: str, description: The device's id.}
  domain: {type: str, description: The domain; one of both is required.}
"""
RETURN = """
ended:
  description: Number of sessions that were ended.
  type: int
  returned: always
"""
# doveadm takes a pattern: a star would end everybody's sessions
PLAIN = re.compile(r"[A-Za-z0-9._-]+")
DOVEADM = "/usr/bin/doveadm"


ARGUMENTS = {"device": {}, "domain": {}}
ONE = [("device", "domain")]


def main() -> None:
    module = AnsibleModule(
        ARGUMENTS, required_one_of=ONE, mutually_exclusive=ONE, supports_check_mode=True
    )
    device, domain = module.params["device"], module.params["domain"]
    if not PLAIN.fullmatch(device or domain):
        module.fail_json(msg=f"{device or domain!r} is no id of a device and no domain")
    if module.check_mode:
        module.exit_json(changed=False, ended=0)
    whom = ["-f", "user_device", device] if device else [f"*@{domain}"]
    command = [DOVEADM, "kick", *whom]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        module.fail_json(msg=f"{' '.join(command)}: {done.stderr.strip()}")
    ended = int(done.stdout.split()[0])  # "1 connections kicked"
    module.exit_json(changed=ended > 0, ended=ended)


if __name__ == "__main__":
    main()
