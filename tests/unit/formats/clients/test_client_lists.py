"""Lists of clients as spreadsheets and other programs write them, and what is wrong with them."""

from __future__ import annotations

import csv
import io
from datetime import date
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from provision.errors import PaquetError
from provision.formats.clients import columns, lines, table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from provision.formats.clients.lines import ClientLine
    from provision.formats.clients.table import LineFault

# At its end a cell is open, also where one was before it: each began another look at the rest.
UNCLOSED = 'x";"y\n'
IBAN = "FR7630006000011234567890189"
HEAD = "Nom;Courriel;Adresse;Code postal;Ville;IBAN;RUM;Signé le"
JEANNE = f"Jeanne Martin;jeanne@exemple.test;1 rue du Port;14000;Caen;{IBAN};A-1;2024-02-01"
# A member and a third party, under the heads that Paheko and Dolibarr document.
PAHEKO = """Numéro de membre,Nom,Adresse E-Mail,Adresse postale,Code postal,Ville,Pays,\
Date d'inscription
12,Jeanne Martin,jeanne@exemple.test,"1 rue du Port
Bât. B",14000,Caen,FR,03/02/2021
"""
DOLIBARR = """Id;Nom du tiers;Code client;Adresse;Code postal;Ville;Pays;Email;Id. prof. 1 (SIREN);\
Numéro de TVA;Type du tiers;Langue par défaut
4;Épicerie du Port;CU2401-0004;2 quai;14000;Caen;France;bonjour@epicerie.test;552 100 554;;\
PME/PMI;fr_FR
"""


def read(content: str | bytes, own: Path | None = None) -> tuple[list[ClientLine], list[LineFault]]:
    """Return what a list says, and what is wrong with it."""
    vocabulary = columns.vocabulary(own)
    raw = content if isinstance(content, bytes) else content.encode()
    return lines.read(table.read(raw, vocabulary), vocabulary, columns.WORDS)


def fault_of(line: str, head: str = HEAD) -> LineFault:
    """Return the one thing that is wrong with a line, beside one that is right."""
    others = "" if head != HEAD else f"{JEANNE}\n"
    clients, (fault,) = read(f"{head}\n{others}{line}\n")
    assert len(clients) == bool(others)
    assert fault.line == (3 if others else 2)
    assert fault.hint
    return fault


@pytest.mark.parametrize("separator", [";", ",", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_list_is_read_whatever_saved_it(separator: str, encoding: str, end: str) -> None:
    text = end.join((HEAD, JEANNE.replace("Jeanne", "Zoé"), "")).replace(";", separator)
    (client,), faults = read(text.encode(encoding))
    assert faults == []
    assert (client.line, client.name, client.email) == (2, "Zoé Martin", "jeanne@exemple.test")
    assert client.said == {"lines": ("1 rue du Port",), "postcode": "14000", "city": "Caen"}
    assert client.mandate is not None
    assert (client.mandate.iban, client.mandate.reference) == (IBAN, "A-1")
    assert client.mandate.signed_on == date(2024, 2, 1)
    assert client.subscription is None


def test_the_heads_of_a_members_list_of_paheko_are_known() -> None:
    known = table.read(PAHEKO.encode(), columns.vocabulary())
    assert known.unread == ()
    (client,), faults = read(PAHEKO)
    assert faults == []
    assert (client.number, client.name) == (None, "Jeanne Martin")
    assert client.said["lines"] == ("1 rue du Port", "Bât. B")
    assert client.said["country"] == "FR"


def test_the_heads_of_a_list_of_third_parties_of_dolibarr_are_known() -> None:
    known = table.read(DOLIBARR.encode("cp1252"), columns.vocabulary())
    assert known.unread == ()
    (client,), faults = read(DOLIBARR.encode("cp1252"))
    assert faults == []
    assert client.said["kind"] == "company"
    assert (client.said["siren"], client.said["language"]) == ("552100554", "fr")


def test_every_word_is_a_head_and_so_is_what_the_shipped_file_says() -> None:
    vocabulary = columns.vocabulary()
    assert [vocabulary.word(word) for word in columns.WORDS] == list(columns.WORDS)
    assert vocabulary.word("  ADRESSE  électronique ") == "email"
    assert vocabulary.word("Numéro de membre") == columns.UNREAD
    assert vocabulary.word("Signe astrologique") is None


def test_heads_of_ones_own_are_read_beside_the_shipped_ones_and_win(tmp_path: Path) -> None:
    own = tmp_path / "heads.toml"
    own.write_text(
        'unread = ["Nom"]\n[heads]\nname = ["Sociétaire"]\n[kinds]\nnon-profit = ["Copains"]\n',
        "utf-8",
    )
    (client,), faults = read("Sociétaire;Nom;Courriel;Type\nAnne;x;a@x.test;copains\n", own)
    assert (client.name, client.email, faults) == ("Anne", "a@x.test", [])
    assert client.said == {"kind": "non-profit"}
    own.write_text('[heads]\nnickname = ["Surnom"]\n', "utf-8")
    with pytest.raises(PaquetError, match=r"heads.toml: .*'nickname' is no word of a client"):
        read("Surnom\nAnne\n", own)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The file is empty"),
        (b"\r\n \n", "The file is empty"),
        (b"Jeanne;14000\n", "names no column that is known"),
        (b'"Nom;Courriel\nJeanne;x', "names no column that is known"),
        (b"PK\x03\x04 anything", "no CSV but a spreadsheet"),
        ("Nom\nJeanne\n".encode("utf-16"), "no CSV but a spreadsheet"),
        (b"Nom;Ville\nJeanne;\xc3\x81\nAnne;\x81\xff", "Line 3 is written neither in"),
        (b"Nom;Client\nJeanne;Jeanne\n", "2 columns say name: “Nom” and “Client”"),
        (b"Nom\n" + b"Jeanne\n" * (table.MOST_LINES + 1), "more than 50,000 lines"),
        (b"x" * (table.MOST_BYTES + 1), "larger than 50 megabytes"),
    ],
)
def test_what_is_no_list_at_all_is_told_in_one_sentence(content: bytes, sentence: str) -> None:
    with pytest.raises(PaquetError) as refused:
        read(content)
    assert sentence in refused.value.message
    assert refused.value.hint


@pytest.mark.parametrize(
    ("cell", "sentence"),
    [
        ("=HYPERLINK(1)", "could be a formula"),
        ("'=HYPERLINK(1)", "could be a formula"),
        ("@SUM(1)", "could be a formula"),
        ("＝1+1", "could be a formula"),
        ('"Anne\nDurand"', "runs over several lines"),
        ("An\0ne", "cannot be seen"),
        ("An\u202ene", "cannot be seen"),
        ("A" * 65, "longer than 64"),
        ('"An"ne', "A quotation mark is not closed"),
        ('"Anne', "A quotation mark is not closed"),
        ("A" * 10_000_000, "A cell is longer than 131,072 characters"),
    ],
)
def test_a_hostile_name_is_one_clear_sentence(cell: str, sentence: str) -> None:
    fault = fault_of(f"{cell};;;;;;;")
    assert sentence in fault.fault
    assert len(fault.fault) < 200


@pytest.mark.parametrize(
    ("line", "column", "sentence"),
    [
        ("Anne;anne.exemple.test;;;;;;", "Courriel", "is not an e-mail address"),
        (";anne@exemple.test;;;;;;", "Nom", "The name is empty"),
        ("Anne;;;1400;;;;", "Code postal", "is not a French postcode"),
        ("Anne;;;;;FR7630006000011234567890180;;", "IBAN", "wrong letter or digit"),
        (f"Anne;;;;;{IBAN};A 1;", "RUM", "cannot be the mandate reference"),
        (f"Anne;;;;;{IBAN};;31/02/2024", "Signé le", "'31/02/2024' is not a day"),
        (f"Anne;;;;;{IBAN};;1924-02-01", "Signé le", "1924-02-01 cannot be"),
        ("Anne;;;;;;;2024-02-01", "IBAN", "not of which account"),
        ("Anne;;;;;;", "", "has 7 cells instead of 8"),
        ("Anne;;;;;;;;x", "", "has 9 cells instead of 8"),
        ("Anne;JEANNE@exemple.test;;;;;;", "Courriel", "Line 2 has the same"),
        (f"Anne;;;;;{IBAN};A-1;", "RUM", "Line 2 has the same"),
        ('Anne;;"a\nb\nc\nd";;;;;', "Adresse", "The address has 4 lines"),
    ],
)
def test_each_fault_names_its_line_and_column(line: str, column: str, sentence: str) -> None:
    fault = fault_of(line)
    assert sentence in fault.fault
    assert fault.column == column


@pytest.mark.parametrize(
    ("head", "line", "sentence"),
    [
        ("Nom;Type", "Anne;Martienne", "'Martienne' is not a kind"),
        ("Nom;SIREN", "Anne;552100555", "wrong digit"),
        ("Nom;Numéro de TVA", "Anne;FR00552100554", "wrong key"),
        ("Nom;Pays", "Anne;Atlantide", "is not a country"),
        ("Nom;BIC;IBAN", f"Anne;X;{IBAN}", "is not a BIC"),
        ("Nom;Préavis;IBAN", f"Anne;0;{IBAN}", "'0' is not a number of days"),
        ("Nom;Formule;Depuis le", "Anne;Grande Famille;2026-01-01", "is not a code of a plan"),
        ("Nom;Formule", "Anne;famille", "not said from when on"),
        ("Nom;Depuis le", "Anne;2026-01-01", "not of which plan"),
        ("Nom;Formule;Depuis le;Payé jusqu'au", "Anne;f;2026-03-01;2026-01-31", "before it begins"),
        ("Nom;Formule;Depuis le;Période", "Anne;f;2026-03-01;lunaire", "is not a term"),
        (
            "Nom;IBAN;Signé le;Dernier prélèvement",
            f"Anne;{IBAN};2024-02-01;2024-01-31",
            "before the",
        ),
        ("Nom;paquet_number", "Anne;douze", "is not the number of a subscriber"),
    ],
)
def test_each_word_is_checked_as_where_it_is_typed(head: str, line: str, sentence: str) -> None:
    assert sentence in fault_of(line, head).fault


@pytest.mark.parametrize(("height", "faulty"), [(20, 0), (21, 21)])
def test_a_cell_runs_over_twenty_lines_at_most(height: int, faulty: int) -> None:
    note = "\n".join(["x"] * height)
    clients, faults = read(f'Nom;Note\nAnne;"{note}"\n')
    assert (len(clients), len(faults)) == (not faulty, faulty)


def test_a_quotation_mark_that_is_never_closed_costs_twenty_lines_and_not_the_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked_at: list[str] = []
    reader = csv.reader

    def noting(given: Iterable[str]) -> Iterator[str]:
        for line in given:
            looked_at.append(line)
            yield line

    monkeypatch.setattr(csv, "reader", lambda given, **how: reader(noting(given), **how))
    _none, faults = read("Nom;Courriel\n" + UNCLOSED * 1_000)
    assert len(faults) == 1_000
    assert len(looked_at) <= 1_010 * table.LONGEST_LINE


def test_a_megabyte_of_quotation_marks_is_refused_and_read_no_further() -> None:
    with pytest.raises(PaquetError, match="more than 50,000 lines"):
        read("Nom;Courriel\n" + UNCLOSED * 200_000)
    with pytest.raises(PaquetError, match="more than 50,000 lines"):
        read("Nom\n" * (table.MOST_LINES * table.LONGEST_LINE + 1))


def test_all_that_is_wrong_is_told_at_once_and_the_rest_is_read() -> None:
    text = f'{HEAD}\n=x;nobody;;;;FR00;;\n{JEANNE}\n"broken;\nAnne;;;;;;;hier\n'
    (client,), faults = read(text)
    assert client.email == "jeanne@exemple.test"
    assert [
        (fault.line, fault.column) for fault in sorted(faults, key=lambda fault: fault.line)
    ] == [
        (2, "Nom"),
        (2, "Courriel"),
        (2, "IBAN"),
        (4, ""),
        (5, "Signé le"),
    ]


def test_an_account_is_never_shown_whole() -> None:
    wrong = "FR7630006000011234567890180"
    fault = fault_of(f"Anne;;;;;{wrong};;")
    assert fault.fault == "The IBAN FR76 … 0180 has a wrong letter or digit"
    clients, faults = read(f"{HEAD}\n{JEANNE}\nAnne;;;;;{IBAN};;2024-02-01\n")
    assert faults == []
    assert lines.shared_accounts(clients) == ["Lines 2-3 have the same account FR76 … 0189"]


def test_two_of_one_name_are_one_where_they_live_together() -> None:
    head = "Nom;Adresse;Code postal"
    clients, faults = read(f"{head}\nPaul;1 rue;14000\nPaul;9 rue;14000\nPAUL;1 rue;14000\n")
    assert len(clients) == 2
    assert [(fault.line, fault.column) for fault in faults] == [(4, "Nom")]


@pytest.mark.parametrize(
    ("cells", "first_day", "paid"),
    [
        ("famille;2026-03-15;;", date(2026, 3, 15), False),
        ("famille;;31/12/2026;", date(2027, 1, 1), True),
        ("famille;15/03/2024;14.03.2027;annuel", date(2027, 3, 15), True),
    ],
)
def test_a_subscription_is_billed_from_the_first_day_that_is_not_paid(
    cells: str,
    first_day: date,
    paid: bool,  # noqa: FBT001
) -> None:
    (client,), faults = read(f"Nom;Formule;Depuis le;Payé jusqu'au;Périodicité\nAnne;{cells}\n")
    assert faults == []
    assert client.subscription is not None
    assert (client.subscription.first_day, client.subscription.paid) == (first_day, paid)
    assert client.subscription.term == ("yearly" if "annuel" in cells else "monthly")


def test_the_rest_is_read_again_once_it_is_mended_and_holds_no_formula() -> None:
    text = f"{HEAD}\n{JEANNE}\n=x;;;;;;;\nAnne;;;14;;;;\nPaul;a\n"
    there = table.read(text.encode(), columns.vocabulary())
    _clients, faults = read(text)
    written = table.rest(there, faults, "fr")
    rows = list(csv.reader(io.StringIO(written.decode("utf-8-sig")), delimiter=";"))
    assert rows[0] == ["À mender", *HEAD.split(";")]
    assert [row[1] for row in rows[1:]] == ["'=x", "Anne", "Paul"]
    assert rows[2][0].startswith("Code postal: ")
    assert rows[2][0].endswith("It has five digits, such as 14000.")
    _none, again = read(written)
    assert [fault.line for fault in again] == [2, 3, 4]
    mended = written.decode("utf-8-sig").replace("'=x", "Luc").replace(";14;", ";14000;")
    clients, (left,) = read(mended)
    assert [client.name for client in clients] == ["Luc", "Anne"]
    assert left.line == 4


@example(b";\n;", b"")
@example(b" , ,", b"")
@given(st.binary(max_size=300), st.sampled_from([HEAD.encode() + b"\n", b""]))
def test_whatever_the_bytes_are_a_list_or_an_expected_error_comes_of_them(
    content: bytes, head: bytes
) -> None:
    try:
        clients, faults = read(head + content)
    except PaquetError:
        return
    wrong = {fault.line for fault in faults}
    assert wrong.isdisjoint(client.line for client in clients)


@pytest.mark.parametrize(
    ("numbers", "written"),
    [([], ""), ([2], "2"), ([2, 3, 4, 7, 9, 10], "2-4, 7, 9-10"), ([2, 4], "2, 4")],
)
def test_numbers_of_lines_are_written_shortly(numbers: list[int], written: str) -> None:
    assert lines.numbered(numbers) == written
