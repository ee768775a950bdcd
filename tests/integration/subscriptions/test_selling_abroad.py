"""Buyers abroad: no French VAT in silence, whoever they are and wherever they live."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from provision.commands.books.books import books
from provision.commands.sales.contract import contract
from provision.commands.sales.invoice import invoice
from provision.commands.sales.subscription import subscription
from provision.errors import PaquetError, UsageRefused
from provision.formats.facturx.invoice_pdf import invoice_html
from provision.subscriptions.offers.vat import TreatmentRefused
from tests.integration.subscriptions.abroad_shop import (
    ASSOCIATION,
    BELGIAN,
    BELGIUM,
    CHECKED,
    RUE,
    SELLER,
    SWISS,
    billed,
    described,
    sums,
    to,
    trading,
    written,
)
from tests.integration.subscriptions.commanding import ask, identify, opened, read

if TYPE_CHECKING:
    from pathlib import Path

    from provision.commands.shared.context import Context

TODAY = date(2026, 3, 10)
BELFAST = (*RUE, "BT1 1AA", "--city", "Belfast", "--country", "Irlande du Nord")
AT_HOME = ("S", 2000, 833, 167)


@pytest.fixture
def context(tmp_path: Path) -> Context:
    """Jeanne in France has subscribed; nothing is billed yet."""
    return trading(tmp_path)


def test_a_company_in_the_union_owes_the_vat_itself(context: Context) -> None:
    opened(context, "bruno", *BELGIAN, *CHECKED)
    assert billed(context, TODAY).documents == 2
    documents = written(context)
    (home,), (abroad,) = to(documents, "Jeanne"), to(documents, "Bruno")
    assert sums(home) == [AT_HOME]
    assert sums(abroad) == [("AE", 0, 833, 0)]
    assert (abroad.groups[0].exemption_code, abroad.totals.payable) == ("VATEX-EU-AE", 833)
    page = invoice_html(abroad)
    for word in ("Autoliquidation", "art. 283-2 du CGI", "BE0403170701", "FR44732829320"):
        assert word in page
    assert "Belgique" in page
    stated = ("vat", SELLER, "--from", "2026-03-01", "--to", "2026-03-31")
    rows = {one["abroad"]: one for one in read(context, books, *stated)["rows"]}
    assert rows["union_business"]["category"] == "AE"
    assert rows["union_business"]["invoiced_net"]["units"] == 833
    assert rows[""]["invoiced_vat"]["units"] == 167


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (BELGIAN, "BE0403170701 of Bruno in Belgium was not checked with VIES"),
        (("--kind", "company", *BELGIUM), "Bruno in Belgium is a company without a VAT number"),
        (
            ("--kind", "company", "--vat-id", "DE136695976", *BELGIUM, *CHECKED),
            "DE136695976 of Bruno in Belgium is of another country",
        ),
    ],
)
def test_a_company_whose_number_nobody_checked_is_refused(
    context: Context, words: tuple[str, ...], said: str
) -> None:
    with pytest.raises(TreatmentRefused, match=said):
        opened(context, "bruno", *words)
    assert len(read(context, subscription, "list")) == 1


@pytest.mark.parametrize(
    ("words", "code", "mention"),
    [
        (("--kind", "company", *SWISS), "VATEX-EU-O", "art. 259, 1° du CGI"),
        (SWISS, "VATEX-EU-O", "art. 259 B, 12° du CGI"),
        (
            ("--kind", "company", "--vat-id", "XI110305878", *BELFAST),
            "VATEX-EU-O",
            "art. 259, 1° du CGI",
        ),
        (
            (*RUE, "35001", "--city", "Las Palmas", "--country", "Espagne"),
            "VATEX-EU-O",
            "art. 259 B, 12° du CGI",
        ),
        (
            ("--kind", "company", *RUE, "98800", "--city", "Nouméa"),
            "VATEX-EU-O",
            "art. 259, 1° du CGI",
        ),
        (
            ("--kind", "company", *RUE, "97300", "--city", "Cayenne"),
            "VATEX-EU-O",
            "art. 294, 1 du CGI",
        ),
        ((*RUE, "97600", "--city", "Mamoudzou"), "VATEX-EU-O", "art. 294, 1 du CGI"),
    ],
)
def test_who_is_outside_of_the_union_pays_no_vat(
    context: Context, words: tuple[str, ...], code: str, mention: str
) -> None:
    opened(context, "alba", *words)
    billed(context, TODAY)
    (abroad,) = to(written(context), "Alba")
    assert sums(abroad) == [("O", 0, 833, 0)]
    assert abroad.groups[0].exemption_code == code
    assert mention in abroad.groups[0].exemption_text


def test_monaco_is_france(context: Context) -> None:
    opened(context, "grace", "--kind", "company", *RUE, "98000", "--city", "Monaco")
    there = ("--city", "Monaco", "--country", "Monaco")
    opened(context, "rainier", "--kind", "company", *RUE, "98000", *there)
    billed(context, TODAY)
    documents = written(context)
    assert [sums(one) for one in documents] == [[AT_HOME]] * 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("97400", "--city", "Saint-Denis"), "is in Réunion, whose rates of VAT nobody here knows"),
        (("97100", "--city", "Basse-Terre", "--country", "Guadeloupe"), "is in Guadeloupe"),
    ],
)
def test_an_overseas_place_with_another_vat_is_refused(
    context: Context, words: tuple[str, ...], said: str
) -> None:
    with pytest.raises(TreatmentRefused, match=said):
        opened(context, "paul", *RUE, *words)


def test_a_seller_without_vat_sells_overseas_as_at_home(tmp_path: Path) -> None:
    context = trading(tmp_path, vat="franchise", vat_id="")
    opened(context, "paul", *RUE, "97400", "--city", "Saint-Denis")
    billed(context, TODAY)
    (overseas,) = to(written(context), "Paul")
    assert "art. 293 B" in overseas.groups[0].exemption_text


def test_consumers_in_the_union_pay_as_at_home_and_are_counted(context: Context) -> None:
    opened(context, "greta", *RUE, "10115", "--city", "Berlin", "--country", "Germany")
    described_as = ("--kind", "non-profit", *BELGIUM)
    opened(context, "asbl", *described_as)
    billed(context, TODAY)
    documents = written(context)
    assert [sums(one) for one in documents] == [[AT_HOME]] * 3
    stated = ("vat", SELLER, "--from", "2026-03-01", "--to", "2026-03-31")
    assert read(context, books, *stated)["union_consumers_cents"] == 2 * 833
    assert "16,66\u00a0€ of 10\u202f000,00\u00a0€" in ask(context, books, *stated).stdout


def test_beyond_the_threshold_a_consumer_in_the_union_is_left_out(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("provision.subscriptions.documents.union_consumers.LIMIT", 1000)
    opened(context, "greta", *RUE, "10115", "--city", "Berlin", "--country", "Germany")
    opened(context, "heidi", *RUE, "1010", "--city", "Wien", "--country", "Autriche")
    opened(context, "paul")
    with pytest.raises(PaquetError, match="1 of the subscriptions could not be billed") as left_out:
        ask(context, invoice, "run", "--yes")
    assert "Subscription 3: €8.33 were sold to consumers" in left_out.value.hint
    assert [one.buyer.name for one in written(context)] == ["Jeanne", "Greta", "Paul"]
    assert billed(context, TODAY).documents == 0
    with pytest.raises(TreatmentRefused, match="were sold to consumers"):
        ask(context, invoice, "deposit", "3", "--amount", "30", "--yes")


def test_a_threshold_that_was_passed_last_year_counts_too(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(context, "greta", *RUE, "10115", "--city", "Berlin", "--country", "Germany")
    billed(context, TODAY)
    monkeypatch.setattr("provision.subscriptions.documents.union_consumers.LIMIT", 500)
    outcome = billed(context, date(2027, 1, 10))
    assert [*outcome.left_out] == [2]


def test_under_the_franchise_a_company_in_the_union_owes_the_vat(tmp_path: Path) -> None:
    context = trading(tmp_path, vat="franchise", vat_id="")
    with pytest.raises(TreatmentRefused, match="Boutique Libre has no VAT number"):
        opened(context, "bruno", *BELGIAN, *CHECKED)
    described(context, SELLER, date(2026, 3, 1), vat="franchise", vat_id="FR44732829320")
    opened(context, "bruno", *BELGIAN, *CHECKED)
    opened(context, "greta", *RUE, "10115", "--city", "Berlin", "--country", "Germany")
    billed(context, TODAY)
    documents = written(context)
    (bruno,), (greta,) = to(documents, "Bruno"), to(documents, "Greta")
    assert sums(bruno) == [("AE", 0, 1000, 0)]
    assert sums(greta) == [("E", 0, 1000, 0)]
    assert "art. 293 B" in greta.groups[0].exemption_text


def test_an_exempt_seller_is_refused_only_where_nobody_knows(tmp_path: Path) -> None:
    context = trading(tmp_path, vat="association_accessory")
    with pytest.raises(TreatmentRefused, match="is exempt in France"):
        opened(context, "bruno", *BELGIAN, *CHECKED)
    opened(context, "alba", *SWISS)
    opened(context, "greta", *RUE, "10115", "--city", "Berlin", "--country", "Germany")
    billed(context, TODAY)
    documents = written(context)
    (alba,), (greta,) = to(documents, "Alba"), to(documents, "Greta")
    assert "art. 259 B" in alba.groups[0].exemption_text
    assert "art. 261, 7-1°" in greta.groups[0].exemption_text


def test_what_is_outside_of_vat_stays_so_abroad(tmp_path: Path) -> None:
    context = trading(tmp_path, vat="outside_scope", vat_id="")
    opened(context, "bruno", *BELGIAN)
    billed(context, TODAY)
    (abroad,) = to(written(context), "Bruno")
    assert "art. 256" in abroad.groups[0].exemption_text


def test_two_sellers_of_prices_with_vat_inside_refuse_a_buyer_abroad(context: Context) -> None:
    shares = ("--seller-parts", "70", "--supporter-parts", "30", "--from", "2026-03-01")
    words = (SELLER, ASSOCIATION, *shares, "--mode", "two_contracts")
    ask(context, contract, "add", *words, "--yes")
    opened(context, "alba", *SWISS)
    outcome = billed(context, TODAY)
    assert "another VAT out of a price" in str(outcome.left_out[2])
    assert outcome.documents == 1


def test_a_subscription_that_was_billed_with_vat_is_left_out_until_it_is_right(
    context: Context,
) -> None:
    billed(context, TODAY)
    identify(context, *BELGIAN)
    april = date(2026, 4, 10)
    outcome = billed(context, april)
    assert (outcome.documents, [*outcome.left_out]) == (0, [1])
    identify(context, *CHECKED)
    assert billed(context, april).documents == 1
    old, new = written(context)
    assert (sums(old), sums(new)) == ([AT_HOME], [("AE", 0, 833, 0)])


def test_the_check_with_vies_is_kept_as_evidence_of_one_number(context: Context) -> None:
    known = identify(context, *BELGIAN, *CHECKED)
    assert (known["vies_consultation"], known["vies_date"]) == CHECKED[1::2]
    assert identify(context, "--city", "Ixelles")["vies_consultation"] == CHECKED[1]
    other = identify(context, "--vat-id", "BE0428759497")
    assert (other["vies_consultation"], other["vies_date"]) == ("", "")
    for words, said in (
        (("--vies-consultation", "WAPIAAAAWbpWT9mN"), "only half told"),
        (("--vies-consultation", "yes!", "--vies-date", "2026-03-09"), "consultation number"),
        (("--vies-consultation", CHECKED[1], "--vies-date", "2026-03-11"), "still to come"),
        (("--vies-consultation", CHECKED[1], "--vies-date", "2026-02-30"), "is not a day"),
    ):
        with pytest.raises(UsageRefused, match=said):
            identify(context, *words)


@pytest.mark.parametrize(
    ("typed", "code"), [("Allemagne", "DE"), ("germany", "DE"), ("de", "DE"), ("uk", "GB")]
)
def test_a_country_is_typed_by_name(context: Context, typed: str, code: str) -> None:
    there = (*RUE, "10115", "--city", "Berlin", "--country", typed)
    assert identify(context, *there)["address"]["country"] == code
    with pytest.raises(UsageRefused, match="'Alemagne' is not a country"):
        identify(context, *there[:-1], "Alemagne")
