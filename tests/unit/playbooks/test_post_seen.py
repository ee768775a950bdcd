"""What the log of a mail server proves about a letter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

    Load = Callable[[str], dict[str, Any]]

QUEUE = "9D91E1DAA7D"
OURS, OTHER = "<aaa@paquet.test>", "<bbb@paquet.test>"
LOGIN = "post@exemple.test"
CLIENT = "9D91E1DAA7D: client=unknown[198.51.100.1], sasl_method=PLAIN, sasl_username={}"
ID = "9D91E1DAA7D: message-id={}"
ACTIVE = "9D91E1DAA7D: from=<post@exemple.test>, size=2728, nrcpt=1 (queue active)"
GONE = "disconnect from unknown[198.51.100.1] ehlo=1 auth=1 mail=1 rcpt=1 data=0/1 commands=4/5"
DONE = GONE.replace("data=0/1", "data=1")
LOST = "lost connection after DATA (582 bytes) from unknown[198.51.100.1]"
REJECTED = "9D91E1DAA7D: milter-reject: END-OF-MESSAGE from unknown: 4.7.1 Ratelimit; from=<a@b.c>"


@pytest.mark.parametrize(
    ("log", "state"),
    [
        ((), "no"),
        ((CLIENT, ID, ACTIVE), "accepted"),
        ((CLIENT, ID, ACTIVE, GONE), "accepted"),
        ((CLIENT,), "open"),
        ((CLIENT, ID), "open"),
        ((CLIENT, GONE), "no"),
        ((CLIENT, LOST), "no"),
        ((CLIENT, ID, REJECTED, GONE), "no"),
        ((CLIENT, ID.replace("{}", OTHER), ACTIVE, GONE), "no"),
        ((CLIENT.replace("{}", "else@exemple.test"),), "no"),
        ((CLIENT, GONE, CLIENT), "open"),
    ],
)
def test_only_a_queued_message_is_accepted_and_only_a_closed_session_is_none(
    load: Load, log: tuple[str, ...], state: str
) -> None:
    judge = load("roles/postfix/files/post-seen.py")["judge"]
    lines = [("7", line.replace("{}", OURS if line.startswith(ID[:24]) else LOGIN)) for line in log]
    told = judge(lines, OURS, LOGIN.upper())
    assert (told.state, told.queue) == (state, QUEUE if state == "accepted" else "")


def test_a_session_of_another_process_stays_open(load: Load) -> None:
    judge = load("roles/postfix/files/post-seen.py")["judge"]
    lines = [("7", CLIENT.format(LOGIN)), ("8", CLIENT.format(LOGIN)), ("7", GONE)]
    assert judge(lines, OURS, LOGIN).state == "open"


def test_a_subject_that_looks_like_a_line_of_the_log_proves_nothing(load: Load) -> None:
    judge = load("roles/postfix/files/post-seen.py")["judge"]
    forged = f"9D91E1DAA7D: warning: header Subject: 9D91E1DAA7D: message-id={OURS} from x"
    log = [("7", CLIENT.format(LOGIN)), ("7", forged), ("7", GONE)]
    assert judge(log, OURS, LOGIN) == ("no", "", ())


@pytest.mark.parametrize(
    ("folder", "mode", "state"),
    [
        ("incoming", 0o700, "accepted"),
        ("deferred/9", 0o700, "accepted"),
        ("incoming", 0o600, "no"),  # cleanup writes it still
        ("bounce", 0o700, "no"),
    ],
)
def test_what_the_queue_holds_was_taken_before_the_log_says_so(
    load: Load, tmp_path: Path, folder: str, mode: int, state: str
) -> None:
    module = load("roles/postfix/files/post-seen.py")
    decide, judge = module["decide"], module["judge"]
    decide.__globals__["SPOOL"] = tmp_path
    (tmp_path / folder).mkdir(parents=True)
    (tmp_path / folder / QUEUE).touch(mode=mode)
    log = [("7", CLIENT.format(LOGIN)), ("7", ID.format(OURS)), ("7", DONE)]
    told = decide(lambda: judge(log, OURS, LOGIN))
    assert told == {"state": state, "queue": QUEUE if state == "accepted" else ""}


def test_what_left_the_queue_meanwhile_is_in_the_log_by_then(load: Load, tmp_path: Path) -> None:
    module = load("roles/postfix/files/post-seen.py")
    decide, judge = module["decide"], module["judge"]
    decide.__globals__["SPOOL"] = tmp_path
    log = [("7", CLIENT.format(LOGIN)), ("7", ID.format(OURS)), ("7", DONE)]
    looks = iter([log, [*log, ("9", ACTIVE)]])
    assert decide(lambda: judge(next(looks), OURS, LOGIN))["state"] == "accepted"
