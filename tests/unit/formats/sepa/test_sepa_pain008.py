from __future__ import annotations

import pytest

from provision.errors import PaquetError
from provision.formats.sepa import pain008
from provision.formats.sepa.debit_files import files
from tests.unit.formats.sepa.sepa_examples import CREDITOR, FRENCH, HAND_OVER, debit, mandate

(WHOLE,) = (
    file.content for file in files([debit(1), debit(2, mandate(2), 1)], CREDITOR, HAND_OVER)
)


def changed(old: str, new: str, times: int = 1) -> bytes:
    assert old.encode() in WHOLE
    return WHOLE.replace(old.encode(), new.encode(), times)


def test_a_whole_file_is_taken() -> None:
    pain008.validate(WHOLE)


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        (b"", "is not XML"),
        (b"PK\x03\x04", "is not XML"),
        (WHOLE[:-1], "is not XML"),
        (b"<a/>", "is no pain.008.001.02 or pain.008.001.08"),
        (changed("pain.008.001.08", "pain.001.001.03"), "is no pain.008.001.02 or pain.008.001.08"),
        (changed("pain.008.001.08", "pain.008.001.02"), "does not follow pain.008.001.02"),
        (changed("<PmtMtd>DD</PmtMtd>", ""), "does not follow pain.008.001.08"),
        (changed("2026-12-15", "2026-13-15"), "does not follow"),
        (changed("<SeqTp>RCUR", "<SeqTp>ALWAYS"), "does not follow"),
        (changed("<NbOfTxs>2", "<NbOfTxs>3"), "states 3 debits for the whole with 2"),
        (changed("<CtrlSum>9.91", "<CtrlSum>9.92"), "for the whole is not that of its debits"),
        (changed('"EUR">9.90', '"EUR">9.91'), "for the whole is not that of its debits"),
        (changed('"EUR">0.01', '"EUR">0.001'), "parts of a cent"),
        (changed('"EUR">0.01', '"EUR">0'), "0 cents is not possible"),
        (changed('"EUR">0.01', '"EUR">1000000000'), "is not possible"),
        (changed('Ccy="EUR"', 'Ccy="USD"'), "is in USD"),
        (changed('"EUR">9.90', '"EUR">9<!-- -->9.90'), "for the whole is not that of its debits"),
        (changed("F2026-2-1", "F2026-1-1"), "is in the file twice"),
        (changed("F2026-2-1", "<!-- -->F2026-1-1"), "is in the file twice"),
        (changed("<EndToEndId>F2026-2-1", "<EndToEndId>/F2026"), "cannot be the reference"),
        (changed(FRENCH, FRENCH[:-1] + "8", 2), "wrong letter or digit"),
        (changed(f"<IBAN>{FRENCH}</IBAN>", "<Othr><Id>1</Id></Othr>"), "is not an IBAN"),
    ],
)
def test_a_broken_file_is_refused(broken: bytes, why: str) -> None:
    with pytest.raises(PaquetError, match=why) as refused:
        pain008.validate(broken)
    assert len(refused.value.message) < 300
    assert "\n" not in refused.value.message


def test_the_sum_of_a_group_is_checked_too() -> None:
    group = WHOLE.index(b"<PmtInf>")
    broken = WHOLE[:group] + WHOLE[group:].replace(b"<CtrlSum>9.91", b"<CtrlSum>9.90", 1)
    with pytest.raises(PaquetError, match="for a group is not that of its debits"):
        pain008.validate(broken)


def test_a_group_without_a_sum_is_refused() -> None:
    group = WHOLE.index(b"<PmtInf>")
    broken = WHOLE[:group] + WHOLE[group:].replace(b"<CtrlSum>9.91</CtrlSum>", b"", 1)
    with pytest.raises(PaquetError, match="for a group is not that of its debits"):
        pain008.validate(broken)


@pytest.mark.parametrize(
    "doctype",
    [
        b"<!DOCTYPE Document>",
        b'<!DOCTYPE Document [<!ENTITY a SYSTEM "file:///etc/hostname">]>',
        b'<!DOCTYPE Document [<!ENTITY a "b"><!ENTITY c "&a;&a;&a;">]>',
    ],
)
def test_a_document_type_is_refused(doctype: bytes) -> None:
    with pytest.raises(PaquetError, match="declares a document type"):
        pain008.validate(WHOLE.replace(b"?>", b"?>" + doctype, 1))


def test_a_bomb_of_entities_is_refused() -> None:
    entities = b"".join(
        b'<!ENTITY e%d "%s">' % (n, b"&e%d;" % (n - 1) * 10 if n else b"x" * 10) for n in range(12)
    )
    bomb = b"<!DOCTYPE a [" + entities + b"]><a>&e11;</a>"
    with pytest.raises(PaquetError):
        pain008.validate(bomb)


def test_a_file_that_is_too_large_is_refused_unread() -> None:
    with pytest.raises(PaquetError, match="larger than 32 MiB"):
        pain008.validate(b" " * (pain008.MOST_BYTES + 1))
