"""The European and French schematrons, run by SaxonC in a process of their own."""

from __future__ import annotations

import threading
from dataclasses import replace
from os import cpu_count
from typing import TYPE_CHECKING

import pytest
from facturx import get_xml_from_pdf

from provision.errors import PaquetError
from provision.formats.facturx.batches import CHUNK, FEW, Refused, many
from provision.formats.facturx.facturx_xml import facturx
from provision.formats.facturx.invoice_pdf import invoice_pdf
from provision.formats.facturx.schematron import findings
from tests.unit.formats.facturx.document_examples import BUSINESS, EXAMPLES, JEANNE, PERSON

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provision.formats.facturx.invoice import PaperInvoice
    from provision.formats.facturx.schematron import BrokenRule

BROKEN = [
    ("<ram:GrandTotalAmount>130.00", "<ram:GrandTotalAmount>131.00", {"BR-CO-15", "BR-CO-16"}),
    ('unitCode="HUR"', 'unitCode="XXX"', {"FX-SCH-A-000612", "FX-SCH-A-000613"}),
    (">PMT<", ">AAI<", {"BR-FR-05_BT-22_PMT"}),
    (">PMD<", ">AAI<", {"BR-FR-05_BT-22_PMD"}),
    (">AAB<", ">AAI<", {"BR-FR-05_BT-22_AAB"}),
    ("<ram:ID>S1<", "<ram:ID>Z1<", {"BR-FR-08_BT-23"}),
    ("<ram:ID>F2026-00042<", "<ram:ID>F2026 00042<", {"BR-FR-02_BT-1"}),
    ("<ram:ChargeAmount>8.33<", "<ram:ChargeAmount>-8.33<", {"BR-27", "BR-FR-DEC-03_BT-146"}),
]


@pytest.fixture(scope="module")
def judged() -> dict[str, tuple[BrokenRule, ...]]:
    """Everything that these tests judge, in one run: it is the start that takes long."""
    good = facturx(BUSINESS).decode()
    assert all(old in good for old, _, _ in BROKEN)
    documents = {name: facturx(invoice) for name, invoice in EXAMPLES.items()}
    documents |= {old: good.replace(old, new).encode() for old, new, _ in BROKEN}
    documents["unreachable"] = facturx(replace(PERSON, buyer=replace(JEANNE, email="")))
    documents["out of the pdf"] = get_xml_from_pdf(invoice_pdf(BUSINESS))[1]
    return dict(zip(documents, findings(documents.values()), strict=True))


def test_every_example_breaks_no_rule(judged: dict[str, tuple[BrokenRule, ...]]) -> None:
    assert {name: judged[name] for name in EXAMPLES} == dict.fromkeys(EXAMPLES, ())


@pytest.mark.parametrize(("old", "rules"), [(old, rules) for old, _, rules in BROKEN])
def test_every_broken_invoice_breaks_its_own_rule_and_no_other(
    judged: dict[str, tuple[BrokenRule, ...]], old: str, rules: set[str]
) -> None:
    assert {finding.rule for finding in judged[old]} == rules


def test_a_finding_says_where_and_what(judged: dict[str, tuple[BrokenRule, ...]]) -> None:
    (finding,) = judged["<ram:ID>S1<"]
    assert finding.location == ("/CrossIndustryInvoice[1]/ExchangedDocumentContext[1]")
    assert finding.text.startswith("BR-FR-08/BT-23 : La valeur du mode de facturation")
    assert 'Valeur actuelle : "Z1".' in finding.text


def test_a_person_without_any_address_online_is_reported_not_hidden(
    judged: dict[str, tuple[BrokenRule, ...]],
) -> None:
    assert [finding.rule for finding in judged["unreachable"]] == ["BR-FR-12_BT-49"]


def test_the_xml_out_of_the_pdf_breaks_no_rule(judged: dict[str, tuple[BrokenRule, ...]]) -> None:
    assert judged["out of the pdf"] == ()


def test_the_rules_can_be_run_from_a_thread(judged: dict[str, tuple[BrokenRule, ...]]) -> None:
    """SaxonC in the same process would crash here."""
    found: list[tuple[BrokenRule, ...]] = []
    thread = threading.Thread(target=lambda: found.extend(findings([facturx(PERSON)])))
    thread.start()
    thread.join()
    assert found == [judged["person"]]


@pytest.mark.parametrize(
    "xml", [b"<a", b"<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>"]
)
def test_hostile_xml_never_reaches_the_rules(xml: bytes) -> None:
    with pytest.raises(PaquetError, match=r"not XML|document type"):
        findings([facturx(PERSON), xml])


def test_many_invoices_come_in_order_and_a_bad_one_stops_none() -> None:
    some = [replace(PERSON, number=f"F{number}") for number in range(CHUNK)]
    bad = replace(PERSON, number="BAD", totals=replace(PERSON.totals, payable=1))
    *made, refused, last = many(facturx, [*some, bad, PERSON])
    assert made == [facturx(invoice) for invoice in some]
    assert isinstance(refused, Refused)
    assert refused.number == "BAD"
    assert "BR-CO-16" in refused.why
    assert last == facturx(PERSON)


def test_a_few_invoices_are_made_here_one_by_one() -> None:
    bad = replace(PERSON, number="BAD", totals=replace(PERSON.totals, payable=1))
    *made, refused = many(facturx, [*[PERSON] * (FEW - 1), bad])
    assert made == [facturx(PERSON)] * (FEW - 1)
    assert isinstance(refused, Refused)


def test_no_invoices_give_nothing() -> None:
    assert list(many(facturx, [])) == []
    assert findings([]) == []


def test_only_a_few_invoices_are_waiting_at_a_time() -> None:
    asked = 0

    def endless() -> Iterator[PaperInvoice]:
        nonlocal asked
        while True:
            asked += 1
            yield PERSON

    coming = many(facturx, endless())
    assert next(coming) == facturx(PERSON)
    coming.close()  # type: ignore[attr-defined] # it is a generator
    assert asked <= 2 * (cpu_count() or 1) * CHUNK
