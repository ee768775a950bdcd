"""An Ansible that was started before its play: one for each, and none is left."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import pytest

from provision.errors import PaquetError
from provision.servers.play import Play
from provision.servers.playbooks import Ready, run_ready
from provision.workflows import plays

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path


def test_one_that_died_while_it_waited_is_told_in_words(tmp_path: Path) -> None:
    """Its folder goes with it: see the supervisor."""
    ready = Ready(tmp_path / "gone", Mock())
    with pytest.raises(PaquetError, match="Ansible ended before it had its play"):
        run_ready(Play("device.yml", []), ready)


@dataclass
class Starts:
    """What was started, and what ended."""

    begun: list[int] = field(default_factory=list)
    ended: list[int] = field(default_factory=list)

    @contextmanager
    def start(self, _settings: object) -> Iterator[int]:
        number = len(self.begun)
        self.begun.append(number)
        try:
            yield number
        finally:
            self.ended.append(number)


@pytest.fixture
def starts(monkeypatch: pytest.MonkeyPatch) -> Starts:
    made = Starts()
    monkeypatch.setattr(plays, "start_ansible", made.start)
    return made


def each(count: int) -> Generator[Any, None, None]:
    return plays.each_ready(Mock(), count)


def test_the_next_one_starts_while_a_play_runs(starts: Starts) -> None:
    for ready in each(3):
        assert starts.begun == list(range(min(ready + 2, 3)))
        assert starts.ended == list(range(ready))
    assert starts.ended == [0, 1, 2]


def test_none_is_started_for_nothing(starts: Starts) -> None:
    assert list(each(0)) == []
    assert list(each(1)) == [0]
    assert starts.begun == starts.ended == [0]


def test_none_is_left_when_a_play_fails(starts: Starts) -> None:
    coming = each(3)
    next(coming)
    with pytest.raises(PaquetError):
        coming.throw(PaquetError("it failed"))
    assert sorted(starts.ended) == starts.begun == [0, 1]
