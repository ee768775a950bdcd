"""What a play says, and the one clear sentence that is made of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from ansible.playbook.role import Role

from provision.errors import UnsafeChange
from provision.servers.connection import Unreachable
from provision.servers.outcomes import Hearing, PlayFailed

if TYPE_CHECKING:
    from provision.servers.outcomes import PartStart

STATS = {"event": "playbook_on_stats", "ok": {"one": 3}, "changed": {"one": 1}}


def heard(*events: object, **options: bool) -> Hearing:
    hearing = Hearing(**options)  # type: ignore[arg-type]
    for event in events:
        hearing.hear(event if isinstance(event, str) else json.dumps(event))
    return hearing


def failed(**result: object) -> dict[str, object]:
    where = {"host": "one", "role": "nginx", "task": "Verify"}
    return {"event": "runner_on_failed", **where, "res": result}


def test_facts_of_tasks_come_together() -> None:
    hearing = heard(
        {"event": "runner_on_ok", "host": "one", "res": {"paquet": {"a": 1}}},
        {"event": "runner_on_ok", "host": "two", "res": {"paquet": {"b": 2}, "changed": True}},
        {"event": "runner_on_ok", "host": "two", "res": {"paquet": "no mapping"}},
        STATS,
    )
    assert hearing.result().facts == {"a": 1, "b": 2}
    assert hearing.result().changed == {"one": 1}


def parts(*tasks: tuple[str, str]) -> list[tuple[str, str]]:
    told: list[PartStart] = []
    hearing = Hearing(told.append)
    for role, task in tasks:
        hearing.hear(json.dumps({"event": "playbook_on_task_start", "role": role, "task": task}))
    return [(part.role, part.words) for part in told]


def test_a_part_is_told_in_its_own_words_as_it_begins() -> None:
    announced = "Validating arguments against arg spec 'login' - Its place - and room"
    assert parts(("backup_server", announced)) == [("backup_server", "Its place - and room")]


def test_nothing_of_ansibles_insides_is_told() -> None:
    insides = ["Close", "Validating arguments against arg spec 'main'", "First backup", ""]
    assert parts(*((role, task) for role in ("", "ssh") for task in insides)) == []


def test_ansible_announces_a_role_as_it_is_heard_here() -> None:
    made = Role()._create_validation_task({"short_description": "SSH by key only"}, "main")  # noqa: SLF001
    assert parts(("ssh", made["name"])) == [("ssh", "SSH by key only")]


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        ({"msg": "nginx: [emerg] host not found\nmore"}, "nginx: [emerg] host not found"),
        ({"msg": "non-zone\n", "stderr": "x"}, "non-zone"),
        ({"msg": "non-zero return code", "stderr": "a\nthe end\n"}, "the end"),
        ({"msg": "MODULE FAILURE\nSee", "module_stderr": "Traceback\nKeyError: 1"}, "KeyError: 1"),
        ({"censored": "the output has been hidden"}, "its output is hidden"),
        ({}, "it gave no reason"),
    ],
)
def test_a_failure_names_task_host_and_first_useful_line(
    result: dict[str, object], reason: str
) -> None:
    error = heard(failed(**result), STATS).explain("site.yml")
    assert isinstance(error, PlayFailed)
    assert error.message.startswith(f"'nginx: Verify' failed on one: {reason}")
    assert error.hint


def test_the_item_that_failed_is_told_instead_of_the_loop() -> None:
    item = {"event": "runner_item_on_failed", "host": "one", "res": {"msg": "no such disk"}}
    error = heard(item, failed(msg="All items completed"), STATS).explain("site.yml")
    assert "no such disk" in error.message


def test_unreachable_is_not_failed() -> None:
    event = {**failed(msg="ssh: connect: No route to host"), "event": "runner_on_unreachable"}
    error = heard(event).explain("site.yml")
    assert isinstance(error, Unreachable)
    assert "No route to host" in error.message


def test_another_host_key_is_unsafe() -> None:
    text = "@@@\nWARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!\nHost key verification failed."
    event = {**failed(msg=text), "event": "runner_on_unreachable"}
    assert isinstance(heard(event).explain("site.yml"), UnsafeChange)


def test_an_overtaken_run_is_told_so() -> None:
    said = "paquet-guard: run 3 was overtaken by run 4 and may not go on\n"
    error = heard(failed(msg="MODULE FAILURE", module_stderr=said)).explain("site.yml")
    assert "one refused 'nginx: Verify': run 3 was overtaken by run 4" in error.message


def test_a_play_that_cannot_start_gives_what_was_said() -> None:
    error = heard({"event": "said", "text": "ERROR! the role 'x' was not found"}).explain("a.yml")
    assert "the role 'x' was not found" in error.message
    error = heard("Traceback (most recent call last):").explain("a.yml")
    assert "Traceback" in error.message


def test_the_roles_that_began_and_the_one_that_failed_are_known() -> None:
    hearing = heard(
        {"event": "playbook_on_task_start", "role": "base", "task": "a"},
        {"event": "playbook_on_task_start", "role": "nginx", "task": "b"},
        failed(msg="x"),
    )
    assert hearing.result().roles == ("base", "nginx")
    assert hearing.result().failed_in == "nginx"


def test_an_ignored_failure_is_none() -> None:
    hearing = heard({**failed(msg="x"), "ignore_errors": True}, STATS)
    assert hearing.failure is None


def test_diffs_are_kept_for_a_dry_run_only() -> None:
    diff = {"before": "a", "after": "b", "after_header": "/etc/x"}
    result = {"changed": True, "diff": [diff, {"prepared": "plain"}]}
    event: dict[str, Any] = {"event": "runner_on_ok", "host": "one", "task": "Write", "res": result}
    assert heard(event).result().diffs == ()
    first, second = heard(event, keeps_diffs=True).result().diffs
    assert first == "one: Write /etc/x\n- a\n+ b"
    assert second == "one: Write\nplain"
