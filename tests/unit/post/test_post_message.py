"""A letter as an e-mail: what people wrote is in it, and decides nothing about it."""

from __future__ import annotations

import email
import re
from email.header import decode_header, make_header
from email.policy import compat32, default
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provision.errors import PaquetError
from provision.post import message
from provision.post.message import Attached
from tests.unit.post.post_examples import AT, SENDER, TEXT, a_letter

if TYPE_CHECKING:
    from email.message import EmailMessage

HEADERS = {
    *("From", "To", "Reply-To", "Subject", "Date", "Message-ID", "Auto-Submitted"),
    *("Content-Language", "MIME-Version", "Content-Type"),
}
PAYLOADS = (
    "Zoé\r\nBcc: everybody@exemple.test",
    "Zoé\nBcc: everybody@exemple.test",
    "Zoé\r\n\r\n<script>alert(1)</script>",
    "Zoé\rBcc: everybody@exemple.test",
    "Zoé\u2028Bcc: everybody@exemple.test",
    "Zoé\x85Bcc: everybody@exemple.test",
    "Zoé\x0b\x0c\x1c\x1d\x1eBcc: everybody@exemple.test",
    "Zoé\0Bcc: everybody@exemple.test",
    "=?utf-8?q?Zo=0D=0ABcc:_everybody@exemple.test?=",
    "=?utf-8?b?Wm8NCkJjYzogZXZlcnlib2R5QGV4ZW1wbGUudGVzdA==?=",
    "=?utf-8?q?Zo?= =?utf-8?q?=0ABcc:_everybody@exemple.test?=",
    '"Zoé" <everybody@exemple.test>, more',
    "Zoé <everybody@exemple.test>",
    "everybody@exemple.test",
    "Zoé, everybody@exemple.test;",
    "Zoé\\",
    'Zoé "',
    "\u202etset.elpmexe@eoz",
    "Zoé\u200b\u200d\ufeff",
    "(comment) Zoé (",
    "a" * 5_000,
    "é" * 5_000,
    " ",
)


def read(content: bytes) -> EmailMessage:
    return email.message_from_bytes(content, policy=default)


def test_a_letter_is_text_and_a_page_with_what_is_enclosed() -> None:
    files = [Attached("F2026-000012.pdf", b"%PDF-1.7\n"), Attached("liste.csv", b"a;b\r\n")]
    content = message.compose(a_letter(), SENDER, AT, files)
    parsed = read(content)
    text, html = parsed.get_body(("plain",)), parsed.get_body(("html",))
    assert text is not None
    assert html is not None
    assert text.get_content().replace("\r\n", "\n") == TEXT
    assert "12,00 €" in html.get_content()
    assert [part.get_filename() for part in parsed.iter_attachments()] == [
        file.name for file in files
    ]
    assert parsed["Date"].datetime == AT
    assert set(parsed.keys()) == HEADERS


def test_lines_are_short_ascii_and_end_as_servers_want() -> None:
    content = message.compose(a_letter(text="é" * 3_000), SENDER, AT, [])
    assert content.isascii()
    assert re.search(rb"(?<!\r)\n|\r(?!\n)", content) is None
    assert max(map(len, content.split(b"\r\n"))) <= 998


@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize("field", ["to_name", "from_name", "subject"])
def test_no_words_of_people_make_a_header_or_an_address(field: str, payload: str) -> None:
    content = message.compose(a_letter(**{field: payload}), SENDER, AT, [])
    head = content.partition(b"\r\n\r\n")[0]
    parsed = read(content)
    assert set(parsed.keys()) <= HEADERS
    assert len(parsed.keys()) == len(set(parsed.keys()))
    assert [mailbox.addr_spec for mailbox in parsed["To"].addresses] == ["zoe@exemple.test"]
    assert [mailbox.addr_spec for mailbox in parsed["From"].addresses] == [SENDER]
    assert b"Bcc" not in [line.split(b":")[0] for line in head.split(b"\r\n")]
    # What another reader decodes, once more, is no header either.
    other = email.message_from_bytes(content, policy=compat32)
    for name in ("Subject", "To", "From"):
        decoded = str(make_header(decode_header(str(other[name]).replace("\r\n", ""))))
        assert re.search(r"[\r\n\x85\u2028]", decoded) is None


@given(st.text(max_size=300))
def test_one_line_is_one_line_and_no_encoded_word(text: str) -> None:
    line = message.one_line(text)
    assert line.splitlines() in ([], [line])
    assert "=?" not in line
    assert message.one_line(line) == line


@pytest.mark.parametrize(
    "address",
    [
        "",
        "nobody",
        "a@b@c",
        "zoe@exemple.test\r\nRCPT TO:<x@y.z>",
        "<zoe@exemple.test>",
        "zoé@x.test",
    ],
)
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(PaquetError, match="cannot go there"):
        message.compose(a_letter(email=address), SENDER, AT, [])


def test_a_page_shows_text_of_people_as_text() -> None:
    page = message.as_html(a_letter(text="<script>alert(1)</script> {{ 7 * 7 }}\n"))
    assert "<script>" not in page
    assert "{{ 7 * 7 }}" in page
