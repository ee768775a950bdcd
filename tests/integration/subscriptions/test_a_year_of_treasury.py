"""docs/tresorerie.md is true: its commands are typed, and each figure is what the product says."""

from __future__ import annotations

import re
import shlex
from datetime import date
from typing import TYPE_CHECKING

import click
import pytest
from sqlalchemy import func, select

from cli import paquet
from provision.commands.shared.sections import COMMANDS
from provision.formats.sepa import mandates, prenotification
from provision.subscriptions.books import results, vat_due
from provision.subscriptions.documents import open_items
from provision.subscriptions.documents.models import Invoice, LineShare
from provision.subscriptions.dunning import penalties, policy
from provision.subscriptions.ledger import posting
from provision.subscriptions.ledger.posting import Sight
from provision.subscriptions.parties import organisations
from provision.subscriptions.payments.models import BankMovement, CollectionItem
from provision.subscriptions.reports import thresholds
from provision.subscriptions.selling import opening
from provision.subscriptions.selling.models import Subscription
from tests.integration.subscriptions import told_page, treasury_year
from tests.integration.subscriptions.told_page import FIGURE, SPACES
from tests.integration.subscriptions.treasury_year import BEGINS, FRIENDS, PAGE, SHOP, TOP

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import Session

    from provision.subscriptions.parties.models import Organisation
    from tests.integration.subscriptions.treasury_year import Year

MINUS = "−"
LAST_DAY = date(2026, 12, 31)
# What the page says in figures, outside its blocks of code; `{…}` is what the product says.
CLAIMS = (
    "formule Famille, **{price} € par mois** TVA comprise",
    "14 février : {net} € hors taxe, {vat} € de TVA",
    '--amount "30,00" --why "mise en route"',  # a command of a sentence
    "{part} € sont 30 % de {net} €, pas de {price} €",
    "L'autre part est de {rest} €.",
    "La facture de l'association est de {part} € + {part_vat} € de TVA = **{part_gross} €**.",
    "La boutique déduit ces {part_vat} € quand elle a payé",
    "PROVISION INSUFFISANTE`, {bounced} €, dont {bounce_fee} € de frais",
    "indemnité de {indemnity} € et pénalités de retard",
    "en **un seul prélèvement** de {together} €",
    "Trois factures sont émises ({q1_vat} € de TVA)",
    "Restent **{q1_paid} €** encaissés : **{q1_base} €** de base et **{q1_due} €** de TVA à",
    "{q1_waiting} € attendent d'être payés",
    "De 10 à {other_price} € pour 25 jours sur 30 : 8 × 25/30 = **{changed} €**",
    "l'exemple reste à {price} €",
    "{credited} € rendus sont {credited_net} € et {credited_vat} € de TVA",
    "en 2026 : {threshold} € de recettes lucratives",
    "Douze factures : 12 × {net} = **{sold} €** vendus.",
    "onze fois {part} € et une fois {least_part} € (avril), **{parts} €**",
    "(30 % font exactement {exact_parts} € ;",
    "Reste à encaisser : {open} € de Jeanne (la facture de décembre), et {part_gross} € que",
    "| produit constaté d'avance | {net} − {net} × 17/31 = {put_off} | boutique |",
    "| charge constatée d'avance | {part} − {part} × 17/31 = {put_off_part} | boutique |",
    "| produit constaté d'avance | le même {put_off_part} | association |",
    "| 706 Prestations de services | {shop_706} € | {friends_706} € |",
    "| 604 Achats de prestations de services | {shop_604} € | |",
    "| 486 / 487 | {shop_486} € / {shop_487} € | {friends_487} € (487) |",
    "| 44571 TVA collectée (facturée) | {shop_44571} € | {friends_44571} € |",
    "| 44566 TVA déductible | {shop_44566} € | |",
    "| 627 Services bancaires (le rejet de mars, la tenue de compte) | {shop_627} € | |",
    "| 401 (boutique) / 411 (association) | {shop_401} € | {friends_411} € |",
    "des onze factures payées ({year_due} € : `paquet books vat`)",
    "onze factures payées à l'association ({friends_due} €)",
    "ici {shop_result} € pour la boutique, {friends_result} € pour l'association",
    "amende de 7 500 €",  # of the law alone: CGI 1770 duodecies
)
# The same for what is counted in days, months or times.
COUNTS = (
    "un mot à {notice} jours, un rappel à {reminder}, une mise en demeure à {formal}",
    "la suspension à {suspend}, la fin à {close}",
    "**annonce {announced} jours avant**",
    "Un mandat sans prélèvement depuis {mandate_months} mois est caduc",
)


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Year]:
    with pytest.MonkeyPatch.context() as patch:
        yield treasury_year.live(tmp_path_factory.mktemp("year"), patch)


@pytest.fixture(scope="module")
def figures(year: Year) -> dict[str, str]:
    """What the product says of the year."""
    with year.context.reading() as session:
        shop, friends = (organisations.get(session, name) for name in (SHOP, FRIENDS))
        return {
            **_documents(session, shop, friends),
            **_books(session, shop, friends),
            **_vat(session, shop, friends),
            **_answers(year),
            **_rules(),
        }


def cents(units: int) -> str:
    """Write an amount as the page does."""
    return f"{MINUS * (units < 0)}{abs(units) // 100},{abs(units) % 100:02d}"


def whole(units: int) -> str:
    assert units % 100 == 0
    return f"{units // 100:,}".replace(",", " ")


def _documents(session: Session, shop: Organisation, friends: Organisation) -> dict[str, str]:
    one = session.get_one(Invoice, (shop.id, "F2026", 1))
    theirs = session.get_one(Invoice, (friends.id, "F2026", 1))
    rows = session.execute(
        select(LineShare.number, LineShare.beneficiary_id, func.sum(LineShare.units))
        .where(LineShare.organisation_id == shop.id)
        .group_by(LineShare.number, LineShare.beneficiary_id)
    )
    shares = {(number, owner): int(units) for number, owner, units in rows}
    parts = [shares[number, friends.id] for number in range(1, 13)]
    assert sorted(parts)[1:] == [parts[0]] * 11
    assert parts.index(min(parts)) == 3  # April
    sold = session.scalar(select(func.sum(Invoice.net)).where(Invoice.organisation_id == shop.id))
    (still,) = [found for found in open_items.documents(session, shop.id) if found.open.units]
    assert still.shown == "F2026-000012"
    asso = session.get_one(Subscription, 2)
    return {
        "price": whole(one.gross),
        "other_price": whole(opening.price_of(session, asso, asso.first_day).units),
        "net": cents(one.net),
        "vat": cents(one.vat),
        "part": cents(parts[0]),
        "rest": cents(shares[1, shop.id]),
        "part_vat": cents(theirs.vat),
        "part_gross": cents(theirs.gross),
        "least_part": cents(min(parts)),
        "parts": cents(sum(parts)),
        "sold": cents(int(sold or 0)),
        "exact_parts": f"{int(sold or 0) * 30 / 10_000:.3f}".replace(".", ","),
        "open": cents(still.open.units),
        "together": cents(
            session.scalar(
                select(func.sum(CollectionItem.units)).where(CollectionItem.debit == "F2026-2-2")
            )
            or 0
        ),
        "bounced": cents(-session.get_one(BankMovement, 4).units),
    }


def _books(session: Session, shop: Organisation, friends: Organisation) -> dict[str, str]:
    found = {}
    for name, owner in (("shop", shop), ("friends", friends)):
        for one in posting.balance(session, Sight(owner.id, LAST_DAY)):
            found[f"{name}_{one.account}"] = cents(one.amount.units)
        units = results.result(session, owner.id, LAST_DAY).units
        found[f"{name}_result"] = cents(units)
    bounce = posting.balance(session, Sight(shop.id, date(2026, 3, 31)))
    (fee,) = [one.amount.units for one in bounce if one.account == "627"]
    return found | {"bounce_fee": cents(fee)}


def _vat(session: Session, shop: Organisation, friends: Organisation) -> dict[str, str]:
    (first,) = vat_due.statement(session, shop, BEGINS, date(2026, 3, 31)).rows
    (whole_year,) = vat_due.statement(session, shop, BEGINS, LAST_DAY).rows
    (theirs,) = vat_due.statement(session, friends, BEGINS, LAST_DAY).rows
    return {
        "q1_vat": cents(first.invoiced_vat),
        "q1_paid": cents(first.paid),
        "q1_base": cents(first.base),
        "q1_due": cents(first.due),
        "q1_waiting": cents(first.waiting),
        "year_due": cents(whole_year.due),
        "friends_due": cents(theirs.due),
    }


def _answers(year: Year) -> dict[str, str]:
    """Return what commands of the page said of what was not done, or is in no books."""
    every = "\n".join(text for said in year.said.values() for text in said)
    documents = re.findall(
        r"^(F2026-000007|A2026-000001) .*?([\d,]+) € +([\d,]+) € +([\d,]+) €",
        every.translate(SPACES),
        re.MULTILINE,
    )
    (changed, _cancelled, credited) = documents
    put_off = re.findall(r"^(?:sold|bought) +([\d,]+) €", every.translate(SPACES), re.MULTILINE)
    return {
        "changed": changed[3],
        "credited": credited[3],
        "credited_net": credited[1],
        "credited_vat": credited[2],
        "put_off": put_off[0],
        "put_off_part": put_off[1],
    }


def _rules() -> dict[str, str]:
    person = policy.read(TOP / policy.EXAMPLE).of("person")
    limit = thresholds.on("franchise", LAST_DAY, thresholds.known())
    assert limit is not None
    return {
        "indemnity": whole(penalties.INDEMNITY),
        "threshold": whole(limit.euros * 100),
        **{step: str(days) for step, days in person.steps},
        "announced": str(prenotification.USUAL_DAYS),
        "mandate_months": str(mandates.LIFE.years * 12 + mandates.LIFE.months),
    }


def differences(page: str, year: Year, figures: dict[str, str]) -> list[str]:
    """Return where the page and the product do not say the same."""
    found = [
        f"line {step.line}: {block[0]}"
        for step in told_page.steps(page, BEGINS)
        for block in step.answers
        if not any(told_page.agrees(block, said) for said in year.said[step.line])
    ]
    text, covered = told_page.prose(page), set[int]()
    for template in (*CLAIMS, *COUNTS):
        claim = template.format_map(figures)
        places = [one.start() for one in re.finditer(re.escape(claim), text)]
        found += [] if places else [f"The page does not say: {claim}"]
        covered |= {at for place in places for at in range(place, place + len(claim))}
    found += [
        f"Nobody knows where this comes from: {text[max(one.start() - 40, 0) : one.end() + 9]}"
        for one in FIGURE.finditer(text)
        if one.start() not in covered
    ]
    return found


def test_every_command_of_the_page_does_what_it_says(year: Year) -> None:
    assert year.raised == []
    assert len(year.said) > 20


def test_every_figure_of_the_page_is_that_of_the_product(
    year: Year, figures: dict[str, str]
) -> None:
    assert differences(PAGE.read_text(encoding="utf-8"), year, figures) == []


def test_a_figure_that_anybody_changes_is_noticed(year: Year, figures: dict[str, str]) -> None:
    page = PAGE.read_text(encoding="utf-8")
    commands = [one.span() for one in re.finditer(r"^(?:paquet|mkdir) .*$", page, re.MULTILINE)]
    changed = 0
    for one in FIGURE.finditer(page):
        if any(start <= one.start() < end for start, end in commands):
            continue
        at = one.end() - 1
        other = f"{page[:at]}{(int(page[at]) + 1) % 10}{page[at + 1 :]}"
        assert differences(other, year, figures), one.group()
        changed += 1
    assert changed > 80


def test_another_answer_of_the_product_is_noticed(year: Year, figures: dict[str, str]) -> None:
    page = PAGE.read_text(encoding="utf-8")
    for name in {part for claim in (*CLAIMS, *COUNTS) for part in re.findall(r"{(\w+)}", claim)}:
        assert differences(page, year, figures | {name: "1234"}), name
    for line, said in year.said.items():
        step = next(one for one in told_page.steps(page, BEGINS) if one.line == line)
        for block in step.answers:
            others = [FIGURE.sub(_another, text) for text in said]
            assert not any(told_page.agrees(block, text) for text in others), block[0]


def test_the_accountant_gets_what_the_table_promises(year: Year) -> None:
    _before, table = PAGE.read_text(encoding="utf-8").split("## Que donner au comptable")
    commands = re.findall(r"`(paquet [^`]+)`", table.split("\n## ")[0])
    assert len(commands) == 4
    for typed in commands:
        year.type(shlex.split(typed))
    fec = commands[-1].replace("--format csv", "--format fec")
    year.type(shlex.split(fec))
    assert year.raised == []
    assert "732829320FEC20261231.txt" in table
    assert (year.folder / "comptable/732829320FEC20261231.txt").exists()
    assert (year.folder / "factures/F2026-000012.pdf").exists()


def _another(figure: re.Match[str]) -> str:
    return f"{figure[0][:-1]}{(int(figure[0][-1]) + 1) % 10}"


INLINE = re.compile(r"`(?:paquet )?([a-z]+ [a-z][a-z-]*(?: [^`]*)?)`")


def test_every_command_in_a_sentence_exists() -> None:
    text = told_page.prose(PAGE.read_text(encoding="utf-8"))
    typed = [words for words in INLINE.findall(text) if words.split()[0] in COMMANDS]
    assert len(typed) > 30
    context = click.Context(paquet)
    for words in typed:
        command: click.Command = paquet
        for word in words.split():
            if not isinstance(command, click.Group):
                break
            inner = command.get_command(context, word)
            assert inner is not None, words
            command = inner
        options = {name for one in command.params for name in one.opts}
        wanted = set(re.findall(r"(?<!\S)--[a-z-]+", words)) - {"--yes", "--json", "--dry-run"}
        assert wanted <= options, words
