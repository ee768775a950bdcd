"""Each rule of the checker is seen to fire: a good file, one thing made wrong, its finding."""

from __future__ import annotations

import ast
import inspect
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provision.formats.books import fec_check, fec_rows, fec_sequence
from provision.formats.books.fec_check import check

NAME = "732829320FEC20261231.txt"
FIRST_DAY = date(2026, 1, 1)
# Written by hand from the law, not by our writer.
HEADER = (
    "JournalCode|JournalLib|EcritureNum|EcritureDate|CompteNum|CompteLib|CompAuxNum|CompAuxLib|"
    "PieceRef|PieceDate|EcritureLib|Debit|Credit|EcritureLet|DateLet|ValidDate|Montantdevise|Idevise"
)
GOOD = f"""{HEADER}
AN|À-nouveaux|1|20260101|512|Banque|||AN|20260101|Soldes|10,00|0,00|||20260101||
AN|À-nouveaux|1|20260101|110|Report|||AN|20260101|Soldes|0,00|10,00|||20260101||
VT|Ventes|2|20260131|411|Clients|C1|Jeanne|F1|20260131|Vente|12,5|0|A|20260205|20260201||
VT|Ventes|2|20260131|706|Prestations|||F1|20260131|Vente|0|12,5|||20260201||
BQ|Banque|3|20260205|512|Banque|||R1|20260205|Encaissement|12,50|0,00|||20260205|13,00|CHF
BQ|Banque|3|20260205|411|Clients|C1|Jeanne|R1|20260205|Encaissement|0,00|12,50|A|20260205|20260205||
"""
OTHER = "VT|Ventes|2|20260131|706|Prestations|||F1|20260131|Vente|0|12,5|||20260201||"


def rules(text: str, name: str = NAME) -> set[str]:
    return {one.rule for one in check(name, text.encode(), FIRST_DAY).findings}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("separator", ["|", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "iso-8859-15"])
def test_a_good_file_has_no_finding(end: str, separator: str, encoding: str) -> None:
    content = GOOD.replace("|", separator).replace("\n", end).encode(encoding)
    report = check(NAME, content, FIRST_DAY)
    assert report.findings == ()
    assert (report.entries, report.lines, report.debit, report.credit) == (3, 6, 3500, 3500)


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("CompteLib|", "CompteLibelle|", "header"),
        ("JournalCode|JournalLib", "JournalLib|JournalCode", "header"),
        ("|", ";", "separator"),
        ("|C1|Jeanne|", "|C1|Jean|ne|", "fields"),
        ("|13,00|CHF", "|13,00", "fields"),
        ("|Ventes|", "||", "missing"),
        ("VT|Ventes", "|Ventes", "missing"),
        ("|Clients|", "| |", "missing"),
        ("|F1|", "||", "missing"),
        ("|Vente|", "||", "missing"),
        ("|20260131|Vente|", "||Vente|", "missing"),
        ("|12,5|0|", "||0|", "missing"),
        ("|20260201|", "||", "missing"),
        ("|Clients|", "|Cli\x0bents|", "text"),
        ("|20260131|411", "|2026-01-31|411", "date"),
        ("|20260131|411", "|20260231|411", "date"),
        ("|20260131|411", "|18990101|411", "date"),
        ("|20260131|411", "|２０２６0131|411", "date"),
        ("|411|", "|41|", "account"),
        ("|411|", "|CLI|", "account"),
        ("|411|", "|911|", "account"),
        ("|12,5|0|", "|12.5|0|", "amount"),
        ("|12,5|0|", "|1 012,5|0|", "amount"),
        ("|12,5|0|", "|12,505|0|", "amount"),
        ("|12,5|0|", "|1e3|0|", "amount"),
        ("|13,00|", "|treize|", "amount"),
        ("|12,5|0|", "|-12,5|0|", "negative"),
        ("|12,5|0|", "|12,5|12,5|", "one side"),
        ("|12,5|0|", "|0,00|0|", "one side"),
        ("|A|20260205|", "|A||", "lettering"),
        ("|A|20260205|", "||20260205|", "lettering"),
        ("|0,00|12,50|A|20260205|", "|0,00|12,50|||", "letter balance"),
        ("|0,00|12,50|A|", "|0,00|12,50|B|", "letter balance"),
        ("|C1|Jeanne|R1|", "|C2|Luc|R1|", "letter balance"),
        ("|13,00|CHF", "|13,00|", "currency"),
        ("|13,00|CHF", "||CHF", "currency"),
        ("|C1|Jeanne|", "||Jeanne|", "third party"),
        ("|C1|Jeanne|", "|C1||", "third party"),
        ("|3|", "|4|", "number"),
        ("|3|", "|B3|", "number"),
        ("|3|", "|trois|", "number"),
        ("|12,50|0,00|", "|12,51|0,00|", "balance"),
        ("|12,50|0,00|", "|12,51|0,00|", "total"),
        (f"\n{OTHER}", "", "balance"),
        ("|20260131|411|", "|20251231|411|", "exercise"),
        ("|20260131|411|", "|20270101|411|", "exercise"),
        ("|20260201|", "|20260301|", "order"),
        ("VT|Ventes|2|20260131|706", "OD|Ventes|2|20260131|706", "one entry"),
        ("|20260131|706", "|20260130|706", "one entry"),
        ("BQ|", "AN|", "opening"),
        ("|110|", "|706|", "opening"),
        ("|2|20260131|411|Clients", "|2|20260131|120|Clients", "closing"),
    ],
)
def test_one_thing_made_wrong_is_found(old: str, new: str, rule: str) -> None:
    assert old in GOOD
    assert rule in rules(GOOD.replace(old, new))


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("ASSOFEC20261231.csv", "name"),
        ("732829320FEC20261331.txt", "name"),
        ("732829320FEC20261231.csv", "name"),
        ("../732829320FEC20261231.txt", "name"),
        ("732829321FEC20261231.txt", "siren"),
    ],
)
def test_a_wrong_name_is_found(name: str, rule: str) -> None:
    assert rules(GOOD, name) == {rule}


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"", "separator"),
        (f"{HEADER}\n".encode(), "no line"),
        (b"\xef\xbb\xbf" + GOOD.encode(), "encoding"),
        (GOOD.replace("Vente", "d’été").encode("cp1252"), "encoding"),
        (GOOD.encode("utf-16"), "header"),
        (GOOD.replace("|F1|", f"|{'F' * 30_000}|").encode(), "fields"),
        (GOOD.replace("\nBQ", "\n\nBQ").encode(), "fields"),
        (b"\x00" * 100, "separator"),
    ],
)
def test_a_file_that_is_none_is_found(content: bytes, rule: str) -> None:
    assert rule in {one.rule for one in check(NAME, content).findings}


def test_a_finding_says_where_and_what() -> None:
    (finding,) = check(NAME, GOOD.replace("|F1|2026", "||2026", 1).encode()).findings
    assert (finding.line, finding.field) == (4, "PieceRef")
    assert finding.sentence == "PieceRef is empty"


def test_a_file_full_of_mistakes_does_not_fill_the_memory() -> None:
    wrong = HEADER + "\n" + "x|\n" * 5000
    assert len(check(NAME, wrong.encode()).findings) == fec_check.MOST_FINDINGS


def test_a_file_that_is_too_large_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fec_check, "MOST_BYTES", 100)
    report = check(NAME, GOOD.encode())
    assert [one.rule for one in report.findings] == ["size"]
    assert report.lines == 0


@given(st.integers(0, len(GOOD.encode())), st.binary(min_size=1, max_size=4))
def test_any_bytes_put_into_a_file_give_a_report(place: int, junk: bytes) -> None:
    good = GOOD.encode()
    report = check(NAME, good[:place] + junk + good[place + len(junk) :], FIRST_DAY)
    assert len(report.findings) <= fec_check.MOST_FINDINGS
    assert all(one.sentence for one in report.findings)


@given(st.binary(max_size=300))
def test_any_bytes_at_all_are_found_to_be_no_file(content: bytes) -> None:
    assert check(NAME, content).findings


def test_the_checker_shares_nothing_with_the_writer() -> None:
    files = [Path(inspect.getfile(module)) for module in (fec_check, fec_rows, fec_sequence)]
    for file in files:
        imported = {
            node.module.rpartition(".")[2]
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
            if isinstance(node, ast.ImportFrom) and node.module and "provision" in node.module
        }
        assert imported <= {each.stem for each in files}
