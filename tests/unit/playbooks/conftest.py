"""Run a module as Ansible does: alone in a process, its arguments as JSON, its result as JSON."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any, Protocol

import ansible.module_utils
import pytest

PLAYBOOKS = Path(__file__).parents[3] / "playbooks"
DRIVER = """
import json, runpy, sys
import ansible.module_utils
from ansible.module_utils import basic
ansible.module_utils.__path__.append(sys.argv[1])
basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": json.load(sys.stdin)}).encode()
basic._ANSIBLE_PROFILE = "legacy"
runpy.run_path(sys.argv[2], run_name="__main__")
"""


class RunModule(Protocol):
    """How a test calls a module."""

    def __call__(
        self, name: str, *, check: bool = False, **arguments: object
    ) -> dict[str, Any]: ...


@pytest.fixture
def run_module() -> RunModule:
    """Run the module `name` with arguments; `check` is Ansible's check mode."""

    def run(name: str, *, check: bool = False, **arguments: object) -> dict[str, Any]:
        given = {**arguments, "_ansible_check_mode": check, "_ansible_diff": True}
        command = [sys.executable, "-c", DRIVER, str(PLAYBOOKS / "module_utils")]
        done = subprocess.run(
            [*command, str(PLAYBOOKS / "library" / f"{name}.py")],
            input=json.dumps(given),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stdout.strip(), done.stderr
        result: dict[str, Any] = json.loads(done.stdout)
        return result

    return run


class Load(Protocol):
    """How a test gets at the functions of a module or of a program that a role ships."""

    def __call__(self, path: str) -> dict[str, Any]: ...


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Load:
    """Return what a file below playbooks/ defines, without running its main function."""
    known = [*ansible.module_utils.__path__, str(PLAYBOOKS / "module_utils")]
    monkeypatch.setattr(ansible.module_utils, "__path__", known)
    return lambda path: runpy.run_path(str(PLAYBOOKS / path))
