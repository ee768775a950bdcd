from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest
from facturx import get_xml_from_pdf

from provision import database, settings
from provision.formats.bank import reading
from provision.formats.books import fec_check
from provision.formats.facturx import schematron
from provision.formats.sepa import pain008
from provision.migrations import upgrades
from provision.registry import secrets
from provision.registry.models import Subscriber
from provision.subscriptions.books import verify
from provision.subscriptions.offers import plans
from provision.subscriptions.parties import organisations
from provision.subscriptions.selling import opening
from provision.subscriptions.selling.opening import Sale
from provision.workflows import rehearsal, rehearsal_money
from provision.workflows.control import Control

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

START = datetime(2026, 11, 22, 12, tzinfo=UTC)
SETTINGS = """
inventory = "none.yml"
[operator]
name = "Répétition"
zone = "paquet.test"
contact = "aide@paquet.test"
"""


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[rehearsal_money.Story]:
    """The months after a delivery, without the machines: Jeanne subscribed as her order would."""
    folder = tmp_path_factory.mktemp("money")
    file = folder / "paquet.toml"
    file.write_text(SETTINGS, encoding="utf-8")
    read = settings.load(file)
    secrets.make_key_file(read.key_file)
    engine = database.connect(read.registry.url)
    upgrades.upgrade(engine)
    control = Control(read, engine, "rehearsal", clock=lambda: START)
    rehearsal.sell(control, START.date())
    with control.session() as session:
        jeanne = Subscriber(
            name="Jeanne Martin", email="j@ailleurs.test", language="fr", created_at=START
        )
        session.add(jeanne)
        session.flush()
        sale = Sale(
            plans.get(session, rehearsal.PLAN),
            organisations.get(session, rehearsal.SELLER),
            organisations.get(session, rehearsal.SUPPORTER),
        )
        opening.open_subscription(session, jeanne, sale, today=START.date())
    made = rehearsal_money.Story(control, rehearsal.SELLER, rehearsal.SUPPORTER, folder / "out")
    rehearsal_money.rehearse(made)
    yield made
    engine.dispose()


def files(story: rehearsal_money.Story, pattern: str) -> list[Path]:
    found = sorted(story.folder.glob(pattern))
    assert found, pattern
    return found


def test_three_months_go_by_and_every_invariant_holds(story: rehearsal_money.Story) -> None:
    said = " / ".join(str(one["what"]) for one in story.told)
    assert said.count("4 invoices") == 3
    assert said.count("settled with Nuage Libre") == 3
    assert said.count("1 came back") == 1
    assert "is not paid: notice" in said
    assert "is not paid: reminder" in said
    with story.control.session() as session:
        assert verify.verify(session) == []


def test_every_invoice_is_a_pdf_with_factur_x_that_breaks_no_rule(
    story: rehearsal_money.Story,
) -> None:
    inside = []
    for pdf in files(story, "documents/*/*.pdf"):
        _name, xml = get_xml_from_pdf(pdf.read_bytes(), check_xsd=True)
        assert xml == pdf.with_suffix(".xml").read_bytes()
        inside.append(xml)
    assert len(inside) == 12 + 3
    assert schematron.findings(inside) == [()] * len(inside)


def test_every_file_of_debits_is_valid_and_every_statement_is_read(
    story: rehearsal_money.Story,
) -> None:
    for file in files(story, "debits-*/*.xml"):
        pain008.validate(file.read_bytes())
    returned = [
        movement.reason
        for file in files(story, "statements/*.xml")
        for one in reading.read(file.read_bytes(), file.name)
        for movement in one.movements
        if movement.reason
    ]
    assert returned == [rehearsal_money.REASON]


def test_every_fec_passes_the_checker(story: rehearsal_money.Story) -> None:
    found = files(story, "books/*/*/*FEC????????.txt")
    assert len(found) == 4
    for file in found:
        year = int(file.parent.name)
        assert fec_check.check(file.name, file.read_bytes(), date(year, 1, 1)).findings == ()


def test_the_report_page_needs_nothing_from_outside(story: rehearsal_money.Story) -> None:
    page = (story.folder / "report.html").read_text(encoding="utf-8")
    assert "<svg" in page
    assert 'src="http' not in page
    assert "Jeanne" not in page
