"""What comes back: reports are read, and nothing else is taken for one."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provision.post import addresses, bounces
from provision.post.bounces import Returned
from tests.unit.post.post_examples import report


@pytest.mark.parametrize("kind", ["text/rfc822-headers", "message/rfc822"])
def test_a_report_says_which_message_did_not_arrive_and_why(kind: str) -> None:
    said = "smtp; 550 5.1.1 <…>: Recipient address rejected: "
    assert bounces.parse(report(kind=kind)) == [
        Returned(
            "<0fb1@paquet.test>",
            "5.1.1",
            f"{said}User unknown in local recipient table",
        )
    ]


@pytest.mark.parametrize("action", ["delayed", "delivered", "relayed", "expanded", ""])
def test_what_may_still_arrive_did_not_come_back(action: str) -> None:
    assert bounces.parse(report(action)) == []


def test_a_report_that_does_not_name_its_message_says_nothing() -> None:
    assert bounces.parse(report(headers="Subject: Facture\n")) == []


def test_a_status_that_is_none_is_a_general_one() -> None:
    assert [returned.status for returned in bounces.parse(report(status="gone"))] == ["5.0.0"]


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


BROKEN = [
    *("Message-ID: <\n", "Message-ID: <@>\n", "Message-ID: <a@[\n", "Message-ID: <a@[]>\n"),
    *("Message-ID: =?utf-8?b?4pyT?=\n", "Message-ID: \ud83d\n", "Message-ID:\n <\n"),
    *("Content-Transfer-Encoding: uuencode\n\nbegin\n", "Content-Type: ;;;=\n", ":\n\n"),
    *("Content-Type: text/plain; charset*=x''%ff\n\n", "Received: " + ";" * 3_000 + "\n"),
]


@pytest.mark.parametrize("kind", ["text/rfc822-headers", "message/rfc822"])
@pytest.mark.parametrize("headers", BROKEN)
def test_no_message_that_somebody_returns_stops_the_reading(kind: str, headers: str) -> None:
    assert isinstance(bounces.parse(report(kind=kind, headers=headers)), list)


def test_a_message_a_thousand_deep_is_read_in_no_time() -> None:
    deep = "Content-Type: message/rfc822\n\n" * 5_000
    began = time.monotonic()
    assert bounces.parse(report(kind="message/rfc822", headers=deep)) == []
    assert bounces.parse(b"Content-Type: multipart/report;" + b'a=";' * 500_000) == []
    assert bounces.parse(report().replace(b"text/plain", b"text/plain;" + b'a=";' * 9_000)) != []
    assert time.monotonic() - began < 5


@given(
    st.lists(st.one_of(st.sampled_from(BROKEN), st.text(max_size=80)), max_size=6).map("".join),
    st.sampled_from(["text/rfc822-headers", "message/rfc822", "multipart/mixed; boundary=B"]),
)
def test_whatever_is_returned_with_a_report_is_read_without_harm(noise: str, kind: str) -> None:
    assert isinstance(bounces.parse(report(kind=kind, headers=noise)), list)
    assert isinstance(bounces.parse(report(status=noise, action=noise)), list)


class Mailbox:
    """A mailbox by its messages; `arriving` come while it is read, after the first search."""

    def __init__(self, messages: list[bytes], arriving: list[bytes]) -> None:
        self.messages, self.arriving = messages, arriving

    def response(self, _what: str) -> tuple[str, list[bytes]]:
        return "UIDVALIDITY", [b"9"]

    def uid(self, command: str, *words: str) -> tuple[str, list[object]]:
        if command == "SEARCH":
            first = int(words[0].removeprefix("UID ").partition(":")[0])
            uids = range(min(first, len(self.messages)), len(self.messages) + 1)
            self.messages, self.arriving = self.messages + self.arriving, []
            return "OK", [" ".join(map(str, uids)).encode()]
        parts: list[object] = []
        for uid in map(int, words[0].split(",")):
            content = self.messages[uid - 1]
            kind = b"Content-Type: multipart/report\r\n\r\n"
            said = f"{uid} (UID {uid} RFC822.SIZE {len(content)} BODY[] {{1}}".encode()
            parts.append((said, kind if "HEADER" in words[1] else content))
        return "OK", parts


def test_what_arrives_while_the_mailbox_is_read_is_read_the_next_time() -> None:
    other = report(headers="Message-ID: <0fb2@paquet.test>\n")
    client = Mailbox([report(headers="Message-ID: <\n"), report()], [other])
    returned, reading = bounces.new(client, None)  # type: ignore[arg-type] # it is no connection
    assert ([failure.message_id for failure in returned], reading.uid) == (
        ["<0fb1@paquet.test>"],
        2,
    )
    returned, reading = bounces.new(client, reading)  # type: ignore[arg-type]
    assert ([failure.message_id for failure in returned], reading.uid) == (
        ["<0fb2@paquet.test>"],
        3,
    )


@given(st.binary(max_size=400))
def test_whatever_somebody_sends_is_read_without_harm(noise: bytes) -> None:
    intact = report()
    cut = intact[: len(intact) - len(noise)] + noise
    assert isinstance(bounces.parse(noise), list)
    assert isinstance(bounces.parse(cut), list)


@pytest.mark.parametrize(
    ("status", "is_gone"),
    [
        *(("5.1.1", True), ("5.1.2", True), ("5.1.10", True), ("5.2.1", True)),
        *(("5.2.2", False), ("5.3.4", False), ("5.7.1", False), ("4.4.1", False)),
        # What Orange and Free say of a sender, or of a mailbox that is full.
        *(("5.0.0", False), ("5.1.0", False), ("5.1.7", False), ("5.1.8", False), ("5.2.0", False)),
    ],
)
def test_an_address_is_gone_only_where_the_status_says_so(status: str, is_gone: bool) -> None:  # noqa: FBT001
    assert addresses.is_of_address(status) is is_gone


@pytest.mark.parametrize(
    ("said", "is_gone"),
    [
        ("552 5.1.1 Recipient overquota OFR_417", False),
        ("5.1.1 smtp; 552 5.1.1 Recipient overquota OFR_417", False),
        ("550 5.1.1 nobody has 552 letters", True),
    ],
)
def test_a_full_mailbox_is_there(said: str, is_gone: bool) -> None:  # noqa: FBT001
    assert addresses.is_of_address("5.1.1", said) is is_gone
