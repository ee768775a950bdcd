from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provision.errors import PaquetError
from provision.formats.bank import reading
from tests.unit.formats.bank.bank_examples import (
    CAMT_2,
    CFONB,
    MT940,
    OFX_1,
    OFX_2,
    SAMPLES,
    WITH_COLUMN,
    changed,
    every_sample,
    read_one,
    why_refused,
)

if TYPE_CHECKING:
    from tests.unit.formats.bank.bank_examples import Sample

FILE = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>'
LAUGHS = (
    '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>'
)
few = settings(max_examples=150, deadline=None)


@pytest.mark.parametrize("declaration", [FILE, LAUGHS, "<!doctype x>", "<! ENTITY e 'x'>"])
@pytest.mark.parametrize("text", [CAMT_2, OFX_2], ids=["camt", "ofx"])
def test_a_declared_document_type_is_refused_unread(declaration: str, text: str) -> None:
    head, tail = text.split("?>\n", 1)
    assert "declares a document type" in why_refused(f"{head}?>\n{declaration}{tail}")


def test_a_document_type_in_another_encoding_is_not_smuggled_in() -> None:
    hidden = (
        '<?xml version="1.0" encoding="UTF-7"?>+ADwAIQ-DOCTYPE x+AD4-' + CAMT_2.split("?>", 1)[1]
    )
    assert why_refused(hidden)


def test_an_entity_that_nobody_declared_is_refused() -> None:
    assert "not whole XML" in why_refused(changed(CAMT_2, "BANK-0001", "&e;"))


@every_sample
def test_a_file_of_200_mb_is_refused_by_its_size(sample: Sample) -> None:
    huge = sample.content + b" " * (200 * 1024**2)
    with pytest.raises(PaquetError, match="more than 32 MiB"):
        reading.read(huge, sample.name, sample.mapping)


@every_sample
def test_a_nul_byte_is_refused(sample: Sample) -> None:
    assert "NUL bytes" in why_refused(sample.text[:50] + "\0" + sample.text[50:], sample.mapping)


@every_sample
def test_utf_16_is_refused(sample: Sample) -> None:
    assert "NUL bytes" in why_refused(sample.text.encode("utf-16"), sample.mapping)


@every_sample
def test_a_byte_order_mark_is_harmless(sample: Sample) -> None:
    marked = reading.read(b"\xef\xbb\xbf" + sample.content, sample.name, sample.mapping)
    assert marked[0].movements == read_one(sample.text, sample.mapping).movements


def test_an_ofx_head_with_nothing_behind_it_is_refused() -> None:
    head, _ = OFX_2.split("<OFX>", 1)
    assert "holds no element" in why_refused(head)


def test_bytes_that_are_not_the_declared_encoding_are_refused() -> None:
    assert "not whole XML" in why_refused(CAMT_2.encode().replace("É".encode(), b"\xc9"))
    assert why_refused(OFX_2.encode("latin-1", "replace").replace(b"NGUY?N", b"NGUY\xe9N"))
    assert "Windows-1252" in why_refused(MT940.encode().replace(b"JEANNE", b"JEANN\x81"))


def test_endless_digits_are_refused_or_mean_what_they_say() -> None:
    zeros = changed(CAMT_2, ">36.00<", f">{'0' * 9000}36.00<")
    assert read_one(zeros).movements[0].units == 3600
    assert "more than 12 digits" in why_refused(changed(CAMT_2, ">36.00<", f">{'9' * 9000}<"))
    assert read_one(changed(CAMT_2, "<NbOfTxs>3", f"<NbOfTxs>{'9' * 9000}")).closing == 103_410


def test_old_french_encodings_are_read() -> None:
    content = CFONB.replace("IMPAYE", "IMPAYÉ").encode("cp1252")
    assert reading.read(content, "x")[0].movements[1].text.startswith("PRLV SEPA IMPAYÉ")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is empty"),
        (b" \r\n ", "is empty"),
        (b"PK\x03\x04", "an archive or a spreadsheet"),
        (b"%PDF-1.7", "neither camt.053"),
        (b"<html><body>Session expired</body></html>", "not an ISO 20022"),
        (b"<" * 100_000, "neither camt.053"),
        (b"<a>" * 100_000, "not whole XML"),
        (b"/etc/passwd", "neither camt.053"),
        (b":20:\n:25:x", "the field 60 0 times"),
        (b"<OFX>" * 50_000, "not whole OFX"),
        (b"OFXHEADER:100", "not whole OFX"),
    ],
)
def test_what_is_no_statement_gets_one_sentence(content: bytes, why: str) -> None:
    assert why in why_refused(content)


def test_a_name_cannot_fool_the_terminal() -> None:
    with pytest.raises(PaquetError) as refused:
        reading.read(b"", "\x1b[2J\n/etc/passwd")
    assert "\x1b" not in refused.value.message
    assert "\n" not in refused.value.message


@every_sample
def test_nothing_is_logged_over_the_answer(
    sample: Sample, caplog: pytest.LogCaptureFixture
) -> None:
    for old in ("61:26", "64:C", "2026", "CRDT", ",00"):
        broken = sample.text.replace(old, "x", 1)
        with contextlib.suppress(PaquetError):
            reading.read(broken.encode(), sample.name, sample.mapping)
    assert [record for record in caplog.records if record.levelname in {"WARNING", "ERROR"}] == []


@every_sample
def test_a_file_that_is_cut_is_refused_wherever_it_is_cut(sample: Sample) -> None:
    content = sample.content
    for twentieth in range(20):
        why_refused(content[: len(content) * twentieth // 20], sample.mapping)


@every_sample
@given(data=st.data())
@few
def test_changed_bytes_give_a_statement_that_adds_up_or_one_refusal(
    sample: Sample, data: st.DataObject
) -> None:
    content = bytearray(sample.content)
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(content) - 1))
        length = data.draw(st.integers(0, 20))
        content[at : at + length] = data.draw(st.binary(max_size=20))
    _adds_up_or_is_refused(bytes(content), sample)


@every_sample
@given(data=st.data())
@few
def test_moved_lines_give_a_statement_that_adds_up_or_one_refusal(
    sample: Sample, data: st.DataObject
) -> None:
    lines = sample.content.splitlines(keepends=True)
    order = data.draw(st.lists(st.integers(0, len(lines) - 1), min_size=1, max_size=len(lines)))
    _adds_up_or_is_refused(b"".join(lines[at] for at in order), sample)


@given(
    st.sampled_from(["<", "OFXHEADER:100", ":20:x\n:25:", "0130006", ""]), st.binary(max_size=300)
)
@few
def test_noise_is_refused(head: str, noise: bytes) -> None:
    with pytest.raises(PaquetError):
        reading.read(head.encode() + noise, "noise", WITH_COLUMN)


def _adds_up_or_is_refused(content: bytes, sample: Sample) -> None:
    try:
        found = reading.read(content, sample.name, sample.mapping)
    except PaquetError as refused:
        _check_readable(refused)
        return
    for one in found:
        assert one.opening + sum(movement.units for movement in one.movements) == one.closing


def _check_readable(refused: PaquetError) -> None:
    assert refused.message.isprintable()
    assert len(refused.message) < 400


def test_there_is_a_sample_of_every_format() -> None:
    assert len(SAMPLES) == 7
    assert OFX_1.startswith("OFXHEADER")
