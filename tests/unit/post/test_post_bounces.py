"""What comes back: reports are read, and nothing else is taken for one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provision.post import bounces, outbox
from provision.post.bounces import Returned

# As Postfix 3.10 writes them, shortened.
REPORT = """From: MAILER-DAEMON@bundles1.paquet.test (Mail Delivery System)
To: post@paquet.test
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="B"

--B
Content-Type: text/plain

I'm sorry to have to inform you that your message could not be delivered.

--B
Content-Type: message/delivery-status

Reporting-MTA: dns; bundles1.paquet.test
X-Postfix-Queue-ID: BC6F31DAA80
X-Postfix-Sender: rfc822; post@paquet.test

Final-Recipient: rfc822; zoe@ailleurs.test
Original-Recipient: rfc822;Zoe@Ailleurs.test
Action: {action}
Status: {status}
Remote-MTA: dns; mx.ailleurs.test
Diagnostic-Code: smtp; 550 5.1.1 <zoe@ailleurs.test>: Recipient address
    rejected: User unknown in local recipient table

--B
Content-Type: {kind}

{headers}
--B--
"""
HEADERS = "Message-ID: <0fb1@paquet.test>\nSubject: Facture\n"


def report(
    action: str = "failed",
    status: str = "5.1.1",
    kind: str = "text/rfc822-headers",
    headers: str = HEADERS,
) -> bytes:
    words = {"action": action, "status": status, "kind": kind, "headers": headers}
    return REPORT.format(**words).encode()


@pytest.mark.parametrize("kind", ["text/rfc822-headers", "message/rfc822"])
def test_a_report_says_which_message_did_not_reach_whom_and_why(kind: str) -> None:
    said = "smtp; 550 5.1.1 <zoe@ailleurs.test>: Recipient address rejected: "
    assert bounces.parse(report(kind=kind)) == [
        Returned(
            "<0fb1@paquet.test>",
            "BC6F31DAA80",
            "zoe@ailleurs.test",
            "5.1.1",
            f"{said}User unknown in local recipient table",
        )
    ]


@pytest.mark.parametrize("action", ["delayed", "delivered", "relayed", "expanded", ""])
def test_what_may_still_arrive_did_not_come_back(action: str) -> None:
    assert bounces.parse(report(action)) == []


def test_a_report_without_headers_names_its_queue() -> None:
    (returned,) = bounces.parse(report(headers="Subject: Facture\n"))
    assert (returned.message_id, returned.queue) == ("", "BC6F31DAA80")


def test_a_status_that_is_none_is_a_general_one() -> None:
    assert [one.status for one in bounces.parse(report(status="gone"))] == ["5.0.0"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"Subject: Bonjour\n\nje suis absent",
        report().replace(b"multipart/report", b"multipart/mixed"),
        report().replace(b"message/delivery-status", b"text/plain"),
        b"Content-Type: multipart/report; boundary=B\n\nnothing",
        b"Content-Type: multipart/report\n\n",
    ],
)
def test_what_is_no_report_says_nothing(content: bytes) -> None:
    assert bounces.parse(content) == []


@given(st.binary(max_size=400))
def test_whatever_somebody_sends_is_read_without_harm(noise: bytes) -> None:
    whole = report()
    cut = whole[: len(whole) - len(noise)] + noise
    assert isinstance(bounces.parse(noise), list)
    assert isinstance(bounces.parse(cut), list)


@pytest.mark.parametrize(
    ("status", "is_gone"),
    [
        *(("5.0.0", True), ("5.1.1", True), ("5.1.10", True), ("5.2.1", True)),
        *(("5.2.2", False), ("5.3.4", False), ("5.7.1", False), ("4.4.1", False)),
    ],
)
def test_an_address_is_gone_only_where_the_status_says_so(status: str, is_gone: bool) -> None:  # noqa: FBT001
    assert outbox.is_of_address(status) is is_gone
