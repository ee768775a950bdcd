#!/usr/bin/python
"""Have the server's certificate program see that certificates stand and are good."""

from __future__ import annotations

from ansible.module_utils import paquet_certificate, paquet_task

DOCUMENTATION = """
module: paquet_certificate
short_description: Certificates that the role certificates describes
description: Runs C(/usr/local/lib/paquet/certificate ensure) and tells what it says.
options:
  names: {type: list, elements: str, required: true,
          description: Names of descriptions in C(/etc/paquet/certificates.d).}
  required: {type: bool, default: false,
             description: Whether to fail when the authority gives none; else a placeholder stays.}
  wait: {type: bool, default: true,
         description: Else they are asked for and come later; until then a placeholder stands.}
  program: {type: path, default: /usr/local/lib/paquet/certificate, description: The program.}
"""
RETURN = """
paquet:
  description: For each name under C(certificates), C(state) (good, placeholder, asked) and
    C(problem).
  type: dict
  returned: always
"""


def main() -> None:
    paquet_task.run(paquet_certificate)


if __name__ == "__main__":
    main()
