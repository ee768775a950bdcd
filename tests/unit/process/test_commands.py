from __future__ import annotations

import sys

import pytest

from provision.errors import PaquetError
from provision.process import commands


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_what_is_given_arrives_on_standard_input() -> None:
    echoed = commands.run(python("print(input())"), given="é\n")
    assert echoed.stdout == "é\n"


def test_a_failure_tells_the_last_lines() -> None:
    with pytest.raises(commands.CommandFailed, match=r"failed with code 3: broken") as failed:
        commands.run(python("import sys; print('broken', file=sys.stderr); sys.exit(3)"))
    assert failed.value.completed.returncode == 3


def test_a_failure_may_be_expected() -> None:
    assert commands.run(python("raise SystemExit(4)"), check=False).returncode == 4


def test_a_missing_program_says_how_to_install_it() -> None:
    with pytest.raises(commands.CommandFailed, match="not installed") as failed:
        commands.run(["no-such-program"])
    assert "apt install no-such-program" in failed.value.hint


def test_a_signal_is_named() -> None:
    with pytest.raises(commands.CommandFailed, match="ended by SIGKILL") as failed:
        commands.run(python("import os; os.kill(os.getpid(), 9)"))
    assert "memory" in failed.value.hint


def test_a_program_that_hangs_is_ended() -> None:
    around = commands.Surroundings(timeout=0.2)
    with pytest.raises(PaquetError, match="did not end within"):
        commands.run(python("import time; time.sleep(60)"), surroundings=around)
