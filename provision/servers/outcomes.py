"""What a play did: the child's lines in, one result or one clear error out."""

from __future__ import annotations

import json
import re
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from provision.errors import PaquetError
from provision.servers.connection import explain_unreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

GUARD_SPEAKS = "paquet-guard:"
LINES_KEPT = 20
# The task that Ansible puts before a role's own, with the short description of its arguments:
# ansible/playbook/role/__init__.py, _create_validation_task. Where a role is skipped, it is too.
ANNOUNCES = re.compile(r"Validating arguments against arg spec '\w+' - (?P<words>.+)")
AGAIN = "Mend the cause, then run the same command again: it goes on where it stopped."


@dataclass(frozen=True)
class PartStart:
    """A part of the play that begins: a role, in the words by which it describes itself."""

    role: str
    words: str


@dataclass(frozen=True)
class PlayResult:
    """How a play ended: tasks per host, facts that tasks reported under the key `paquet`.

    `roles` are those that began, `failed_in` is the one whose task failed; `diffs` is filled by a
    dry run; `private` is what the play wrote to its `reply_file`.
    """

    changed: dict[str, int]
    ok: dict[str, int]
    failed: dict[str, int]
    facts: dict[str, Any]
    seconds: float
    roles: tuple[str, ...] = ()
    failed_in: str = ""
    diffs: tuple[str, ...] = ()
    private: dict[str, str] = field(default_factory=dict, repr=False)


class PlayFailed(PaquetError):
    """A task failed; `done` tells what was done before it."""

    def __init__(self, message: str, hint: str, done: PlayResult) -> None:
        super().__init__(message, hint)
        self.done = done


@dataclass
class Hearing:
    """Listens to the runner's lines and remembers what matters."""

    on_part: Callable[[PartStart], None] | None = None
    keeps_diffs: bool = False
    started: float = field(default_factory=time.monotonic)
    stats: dict[str, dict[str, int]] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    roles: list[str] = field(default_factory=list)
    diffs: list[str] = field(default_factory=list)
    private: dict[str, str] = field(default_factory=dict, repr=False)
    failure: Mapping[str, Any] | None = None
    failed_item: Mapping[str, Any] | None = None
    said: deque[str] = field(default_factory=lambda: deque(maxlen=LINES_KEPT))

    def hear(self, line: str) -> None:
        """Take in one line of the child: JSON of `runner`, or what a library let slip."""
        try:
            event = json.loads(line)
        except ValueError:
            event = None
        if not isinstance(event, dict) or "event" not in event:
            self.said.append(line)
            return
        handlers: dict[str, Callable[[Mapping[str, Any]], None]] = {
            "playbook_on_task_start": self._task_starts,
            "runner_on_ok": self._task_is_done,
            "runner_on_failed": self._task_failed,
            "runner_on_unreachable": self._task_failed,
            "runner_item_on_failed": self._item_failed,
            "playbook_on_stats": self._all_is_done,
            "said": self._it_says,
            "reply": self._it_replies,
        }
        if event["event"] in handlers:
            handlers[event["event"]](event)

    def result(self) -> PlayResult:
        """Return what was done so far."""
        return PlayResult(
            changed=self.stats.get("changed", {}),
            ok=self.stats.get("ok", {}),
            failed={**self.stats.get("failures", {}), **self.stats.get("dark", {})},
            facts=self.facts,
            seconds=time.monotonic() - self.started,
            roles=tuple(self.roles),
            failed_in=str(self.failure.get("role", "")) if self.failure else "",
            diffs=tuple(self.diffs),
            private=self.private,
        )

    def explain(self, playbook: str) -> PaquetError:
        """Return the error of a play that ended badly."""
        if self.failure is None:
            words = [line for line in self.said if line.strip()]
            reason = first_line("\n".join(words)) or "ansible-playbook gave no reason"
            return PaquetError(f"The play {playbook} could not be run: {reason}")
        host, reason = self.failure["host"], tell_reason(self.failed_item or self.failure)
        if self.failure["event"] == "runner_on_unreachable":
            return explain_unreachable(host, tell_all(self.failure))
        task = ": ".join(filter(None, (self.failure.get("role"), self.failure.get("task"))))
        if GUARD_SPEAKS in reason:
            reason = reason.partition(GUARD_SPEAKS)[2].strip()
            return PlayFailed(f"{host} refused {task!r}: {reason}", AGAIN, self.result())
        return PlayFailed(f"{task!r} failed on {host}: {reason}", AGAIN, self.result())

    def _task_starts(self, event: Mapping[str, Any]) -> None:
        role = event.get("role", "")
        if role and role not in self.roles:
            self.roles.append(role)
        self.failed_item = None
        announced = ANNOUNCES.fullmatch(event.get("task", ""))
        if self.on_part and announced:
            self.on_part(PartStart(role, announced["words"]))

    def _task_is_done(self, event: Mapping[str, Any]) -> None:
        result = event.get("res") or {}
        if isinstance(result.get("paquet"), dict):
            self.facts.update(result["paquet"])
        if not self.keeps_diffs:
            return
        diff = result.get("diff")
        for change in diff if isinstance(diff, list) else [diff]:
            if change and result.get("changed"):
                self.diffs.append(describe_diff(event, change))

    def _task_failed(self, event: Mapping[str, Any]) -> None:
        if not event.get("ignore_errors"):
            self.failure = event

    def _item_failed(self, event: Mapping[str, Any]) -> None:
        self.failed_item = self.failed_item or event
        if GUARD_SPEAKS in tell_reason(event):
            self.failure = event
            raise self.explain("")  # an overtaken run ends here: the other items are refused too

    def _it_says(self, event: Mapping[str, Any]) -> None:
        self.said.append(event["text"])

    def _it_replies(self, event: Mapping[str, Any]) -> None:
        self.private = dict(event["private"])

    def _all_is_done(self, event: Mapping[str, Any]) -> None:
        self.stats = {key: event.get(key) or {} for key in ("changed", "ok", "failures", "dark")}


def tell_reason(event: Mapping[str, Any]) -> str:
    """Given a failed event, return the first useful line of what it says."""
    result = event.get("res") or {}
    if "censored" in result:
        return "its output is hidden, since it handles secrets"
    stderr = str(result.get("stderr") or result.get("module_stderr") or "")
    message = str(result.get("msg") or "")
    if GUARD_SPEAKS in stderr:
        return GUARD_SPEAKS + stderr.partition(GUARD_SPEAKS)[2].splitlines()[0]
    if message.startswith(("non-zero return code", "MODULE FAILURE", "Module result")):
        return last_line(stderr) or first_line(str(result.get("stdout") or "")) or message
    # A message that ends with a colon announces the lines that say it.
    words = " ".join(message.split()) if first_line(message).endswith(":") else first_line(message)
    return words or first_line(stderr) or "it gave no reason"


def tell_all(event: Mapping[str, Any]) -> str:
    """Given a failed event, return its whole message; of a loop, that of its first item."""
    result = event.get("res") or {}
    items = [item for item in result.get("results") or [] if item.get("msg")]
    return str((items[0] if items else result).get("msg") or "")


def first_line(text: str) -> str:
    """Return the first line of `text` that says something."""
    return next((line.strip() for line in text.splitlines() if line.strip()), "")


def last_line(text: str) -> str:
    """Return the last line of `text` that says something: where a traceback names its error."""
    return first_line("\n".join(reversed(text.splitlines())))


def describe_diff(event: Mapping[str, Any], diff: object) -> str:
    """Given a task's event and its diff (Ansible's before, after, prepared), return it as text."""
    title = f"{event.get('host', '')}: {event.get('task', '')}"
    if not isinstance(diff, dict):
        return f"{title}\n{diff}"
    if "prepared" in diff:
        return f"{title}\n{diff['prepared']}"
    where = diff.get("after_header") or diff.get("before_header") or ""
    return f"{title} {where}\n- {diff.get('before', '')}\n+ {diff.get('after', '')}"
