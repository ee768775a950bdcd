from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from provision.checks.findings import Check, Result, run
from provision.checks.mail import (
    look_at_imap,
    look_at_login,
    look_at_sender,
    look_at_smtp,
    look_at_submission,
    look_at_wrong_secret,
    mailbox_checks,
)
from tests.unit.checks.loopback import (
    DOMAIN,
    MAIL_HOST,
    Authority,
    Speech,
    a_target,
    line_server,
    resolver,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from provision.checks.findings import Finding
    from provision.checks.target import Target

    Look = Callable[[Target], Iterator[Finding]]
    Seen = Callable[[Look, str, Speech], list[tuple[str, Result]]]

GREETING = f"220 {MAIL_HOST} ESMTP"
CLOSED = {
    "EHLO": "250-x\r\n250 STARTTLS",
    "STARTTLS": "220 go",
    "RCPT": "554 5.7.1 Relay access denied",
    "AUTH": "535 5.7.8 no",
    "QUIT": "221 bye",
}
OPEN = {
    **CLOSED,
    "RCPT": "250 ok",
    "AUTH": "235 welcome",
    "EHLO": "250-x\r\n250-STARTTLS\r\n250 AUTH PLAIN",
}
SIGNED_IN = {**OPEN, "RCPT": "553 5.7.1 not owned by user"}
IMAP = {
    "CAPABILITY": "* CAPABILITY IMAP4rev1\r\n{tag} OK done",
    "AUTHENTICATE": "+ ",
    "LIST": '* LIST () "/" INBOX\r\n* LIST (\\Sent) "/" Sent\r\n{tag} OK done',
    "LOGOUT": "* BYE\r\n{tag} OK done",
}


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def target(authority: Authority) -> Iterator[Target]:
    with resolver() as asked:
        yield a_target(
            resolver=asked,
            ca_file=authority.file,
            login=f"alice@{DOMAIN}",
            secret=SecretStr("a" * 24),
        )


@pytest.fixture
def seen(authority: Authority, target: Target) -> Seen:
    """What a look says where one door speaks like this, under TLS from the start or later."""
    tls = authority.server(MAIL_HOST)

    def look_at(look: Look, door: str, speech: Speech) -> list[tuple[str, Result]]:
        implicit = door in ("submissions", "imaps")
        with line_server(replace(speech, tls=tls, implicit=implicit)) as port:
            there = replace(target, ports=replace(target.ports, **{door: port}))
            found = run([Check("look", lambda: look(there))])
        return [(finding.check, finding.result) for finding in found]

    return look_at


def by_submission(target: Target) -> Iterator[Finding]:
    return look_at_submission(target, target.ports.submission)


def test_a_closed_port_25_is_fine(seen: Seen) -> None:
    assert seen(look_at_smtp, "smtp", Speech(GREETING, CLOSED)) == [
        ("smtp banner", Result.OK),
        ("smtp auth", Result.OK),
        ("smtp relay", Result.OK),
        ("smtp relay", Result.OK),
    ]


def test_an_open_relay_and_a_login_on_port_25_are_errors(seen: Seen) -> None:
    assert seen(look_at_smtp, "smtp", Speech("220 other.test ESMTP", OPEN)) == [
        ("smtp banner", Result.WARNING),
        ("smtp auth", Result.ERROR),
        ("smtp relay", Result.ERROR),
        ("smtp relay", Result.ERROR),
    ]


def test_a_server_that_only_delays_a_relay_is_a_warning(seen: Seen) -> None:
    undecided = {**CLOSED, "RCPT": "450 later"}
    found = seen(look_at_smtp, "smtp", Speech(GREETING, undecided))
    assert found[2:] == [("smtp relay", Result.WARNING)] * 2


def test_a_submission_port_that_sends_for_strangers_is_an_error(seen: Seen) -> None:
    for replies, result in ((CLOSED, Result.OK), (OPEN, Result.ERROR)):
        ((check, found),) = seen(by_submission, "submission", Speech(GREETING, replies))
        assert check.startswith("submission ")
        assert found is result


def test_a_server_that_refuses_everybody_is_an_error(seen: Seen) -> None:
    assert seen(look_at_smtp, "smtp", Speech("554 no")) == [("look", Result.ERROR)]
    no_tls = Speech(GREETING, {"STARTTLS": "454 not now"})
    assert seen(look_at_smtp, "smtp", no_tls) == [("look", Result.ERROR)]


def test_a_login_that_is_refused_is_an_error(seen: Seen) -> None:
    with_auth = {**OPEN, "AUTH": "535 no"}
    for replies, result in ((with_auth, Result.ERROR), (OPEN, Result.OK)):
        found = seen(look_at_login, "submissions", Speech(GREETING, replies))
        assert found == [("mail login", result)]


def test_any_secret_being_welcome_is_an_error(seen: Seen) -> None:
    for replies, result in ((OPEN, Result.ERROR), (CLOSED, Result.OK)):
        found = seen(look_at_wrong_secret, "submissions", Speech(GREETING, replies))
        assert found == [("mail wrong secret", result)]


def test_writing_as_someone_else_being_welcome_is_an_error(seen: Seen) -> None:
    for replies, result in ((OPEN, Result.ERROR), (SIGNED_IN, Result.OK)):
        found = seen(look_at_sender, "submissions", Speech(GREETING, replies))
        assert found == [("mail only as oneself", result)]


@pytest.mark.parametrize(
    ("outcome", "folders", "result"),
    [
        ("{tag} OK in", IMAP["LIST"], Result.OK),
        ("{tag} NO [AUTHENTICATIONFAILED]", IMAP["LIST"], Result.ERROR),
        ("{tag} OK in", '* LIST () "/" Other\r\n{tag} OK done', Result.ERROR),
    ],
)
def test_a_mailbox_opens_and_has_an_inbox(
    seen: Seen, outcome: str, folders: str, result: Result
) -> None:
    speech = Speech("* OK ready", {**IMAP, "LIST": folders}, other=outcome)
    assert seen(look_at_imap, "imaps", speech) == [("imap", result)]


def test_without_a_secret_every_look_inside_is_skipped() -> None:
    found = run(mailbox_checks(a_target(), round_trip=True))
    assert {finding.result for finding in found} == {Result.SKIPPED}
    assert len(found) == 5
