"""`paquet invoice check`: what is written, before the schematrons of Europe and of France."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from provision.commands.sales.invoice import invoice
from provision.commands.shared.context import PROBLEMS_FOUND
from provision.errors import PaquetError, UsageRefused
from provision.formats.facturx.facturx_xml import facturx
from provision.workflows import rules
from tests.integration.subscriptions.commanding import ask, read, selling

if TYPE_CHECKING:
    from pathlib import Path

    from provision.commands.shared.context import Context
    from provision.formats.facturx.invoice import PaperInvoice

TODAY = date(2026, 3, 10)
BY = ("--by", "Boutique Libre")


@pytest.fixture
def context(tmp_path: Path) -> Context:
    """A shop with one invoice."""
    made = selling(tmp_path)
    ask(made, invoice, "run", "--yes")
    return made


def broken(document: PaperInvoice) -> bytes:
    """Return XML that the schema lets pass, of a total that is not the sum."""
    whole = facturx(document).decode()
    total = "<ram:GrandTotalAmount>10.00"
    assert total in whole
    return whole.replace(total, "<ram:GrandTotalAmount>11.00").encode()


def unmade(_document: PaperInvoice) -> bytes:
    raise PaquetError("It has no XML", "Report it.")


def test_what_breaks_no_rule_is_told_in_one_sentence(context: Context) -> None:
    said = ask(context, invoice, "check", *BY, "--since", "2026-01-01")
    assert said.stdout == "No rule is broken. Documents: 1.\n"
    assert said.exit_code == 0
    assert read(context, invoice, "check", "F2026-000001", *BY) == []


def test_a_broken_rule_is_named_and_ends_with_exit_code_5(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "facturx", broken)
    said = ask(context, invoice, "check", "F2026-000001", *BY)
    assert said.exit_code == PROBLEMS_FOUND
    assert "F2026-000001" in said.stdout
    found = read(context, invoice, "check", "F2026-000001", *BY)
    assert {one["rule"] for one in found} == {"BR-CO-15", "BR-CO-16"}
    assert all(one["what"] and "Summation" in one["where"] for one in found)


def test_a_document_that_cannot_be_made_is_a_problem_too(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "facturx", unmade)
    said = ask(context, invoice, "check", "F2026-000001", *BY)
    assert said.exit_code == PROBLEMS_FOUND
    assert "It has no XML. Report it." in said.stdout


def test_documents_are_named_in_one_way(context: Context) -> None:
    with pytest.raises(UsageRefused, match="Which documents"):
        ask(context, invoice, "check", *BY)


def test_nothing_to_judge_starts_no_saxon() -> None:
    judged = rules.judge([])
    assert (judged.documents, judged.broken, judged.refused) == (0, {}, [])
