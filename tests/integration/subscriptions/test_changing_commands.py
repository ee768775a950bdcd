from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any

import click
import pytest
from sqlalchemy import select

from provision import shipped
from provision.commands.sales.contract import contract
from provision.commands.sales.organisation import organisation
from provision.commands.sales.plan import plan
from provision.commands.sales.subscription import subscription
from provision.commands.shared.context import Context
from provision.errors import PaquetError
from provision.post.models import Letter
from provision.registry.models import Subscriber
from provision.subscriptions.books import verify
from provision.subscriptions.offers.models import Fund
from provision.subscriptions.parties import organisations
from provision.subscriptions.selling import billing
from tests.integration.subscriptions.commanding import ask, founders, settled

if TYPE_CHECKING:
    from pathlib import Path

TODAY = date(2026, 3, 10)
SOLD = ("--sold-by", "Boutique Libre", "--supported-by", "Les Amis du Libre", "--yes")
JEANNE = ("open", "jeanne@exemple.test", "--name", "Jeanne", *SOLD, "--from", "2026-03-01")


@pytest.fixture
def context(tmp_path: Path) -> Context:
    """A registry with the plans and the contract of our examples, on 10 March 2026."""
    made = settled(tmp_path)
    with made.session() as session:
        founders(session, seller="")
    run(made, "import", str(example("plans")), "--yes", group=plan)
    run(made, "import", str(example("contract")), "--yes", group=contract)
    return made


def example(name: str) -> Path:
    return shipped.share("templates") / f"{name}.example.toml"


def run(context: Context, *words: str, group: click.Group = subscription) -> str:
    """Run a command and return what it says; what it raises is raised here."""
    return ask(context, group, *words).stdout


def read(context: Context, *words: str, group: click.Group = subscription) -> Any:  # noqa: ANN401 (JSON is anything)
    return json.loads(run(context, *words, "--json", group=group))


def euros(units: int) -> dict[str, object]:
    return {"commodity": "EUR", "units": units}


def test_a_subscription_is_opened_changed_cancelled_and_kept(context: Context) -> None:
    made = read(context, *JEANNE, "--plan", "famille")
    assert (made["subscription"], made["price"]) == (1, euros(1000))
    billing.bill(context.engine, TODAY)
    would = read(context, "change", "1", "--plan", "association", "--dry-run")
    changed = read(context, "change", "1", "--plan", "association", "--yes")
    assert would == changed
    assert changed["documents"] == [
        {
            "document": "F2026-000002",
            "kind": "invoice",
            "issued_by": "Boutique Libre",
            "net": euros(567),
            "vat": euros(0),
            "gross": euros(567),
        }
    ]
    ended = read(
        context, "cancel", "1", "--last-day", "2026-03-20", "--reason", "x", "--refund", "--yes"
    )
    assert [one["gross"] for one in ended["documents"]] == [euros(639)]
    kept = read(context, "keep", "1", "--yes")
    assert [one["gross"] for one in kept["documents"]] == [euros(639)]
    (shown,) = read(context, "show", "1")
    assert [one["plan"] for one in shown["versions"]] == ["famille", "association"]
    assert "association" in run(context, "show", "jeanne@exemple.test")
    with context.session() as session:
        assert verify.verify(session) == []


def test_a_dry_run_writes_nothing(context: Context) -> None:
    run(context, *JEANNE, "--plan", "famille", "--dry-run")
    assert read(context, "list") == []
    run(context, *JEANNE, "--plan", "famille")
    words = ("discount", "1", "12,5", "--reason", "bienvenue")
    assert "12.5 %" in run(context, *words, "--dry-run")
    assert read(context, "show", "1")[0]["discounts"] == []


def test_nobody_is_billed_without_a_yes(context: Context) -> None:
    run(context, *JEANNE, "--plan", "famille")
    with pytest.raises(PaquetError, match="Nobody is there to say yes"):
        run(context, "change", "1", "--users", "7")
    assert len(read(context, "show", "1")[0]["versions"]) == 1


def test_the_next_terms_are_shown_with_their_discounts(context: Context) -> None:
    run(context, *JEANNE, "--plan", "famille")
    run(context, "discount", "1", "50", "--to", "2026-04-15", "--reason", "bienvenue", "--yes")
    found = read(context, "terms", "1", "--count", "3")
    assert [(one["from"], one["gross"]["units"]) for one in found] == [
        ("2026-03-01", 500),
        ("2026-04-01", 750),
        ("2026-05-01", 1000),
    ]
    assert "7,50\u00a0€" in run(context, "terms", "1")


def test_a_team_pays_per_person_and_gib_after_its_trial(context: Context) -> None:
    made = read(context, *JEANNE, "--plan", "equipe", "--users", "7", "--gib", "60")
    assert made["price"] == euros(2500 + 2 * 300 + 10 * 10)
    assert made["first_term"] == "2026-03-31"


def test_prices_by_means_ask_what_they_need(context: Context) -> None:
    halved = read(context, *JEANNE, "--plan", "equipe", "--tier", "solidaire", "--dry-run")
    assert halved["price"] == euros(1250)
    asked = ("--declare", "income=1800", "--declare", "persons=3")
    by_formula = read(context, *JEANNE, "--plan", "quotient", *asked, "--dry-run")
    assert by_formula["price"] == euros(360)
    free = read(context, *JEANNE, "--plan", "libre", "--amount", "3,50", "--dry-run")
    assert free["price"] == euros(350)
    assert read(context, *JEANNE, "--plan", "libre", "--dry-run")["price"] == euros(500)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--plan", "quotient"], "The price depends on income, persons"),
        (["--plan", "quotient", "--declare", "income=1"], "depends on persons"),
        (["--plan", "quotient", "--declare", "income=" + "9" * 20], "more than anybody has"),
        (["--plan", "quotient", "--declare", "income=-5"], "is not a name and whole euros"),
        (["--plan", "quotient", "--declare", "income=1e9"], "is not a name and whole euros"),
        (["--plan", "solo", "--declare", "income=5"], "The price does not ask for income"),
        (
            ["--plan", "quotient", "--declare", "income=5", "--declare", "income=6"],
            "does not ask for the same twice",
        ),
        (["--plan", "solo", "--tier", "solidaire"], "The plan has no tier"),
        (["--plan", "solo", "--amount", "5"], "The price of this plan is not free"),
        (["--plan", "libre", "--amount", "1.99"], "The price is free from €2.00 on"),
        (["--plan", "libre", "--amount", "-3"], "is negative"),
        (["--plan", "libre", "--amount", "9" * 12], "more than ten billion euros"),
        (["--plan", "solo", "--from", "1900-01-01"], "1900-01-01 cannot be the first day"),
        (["--plan", "solo", "--from", "9999-12-31"], "9999-12-31 cannot be the first day"),
        (["--plan", "solo", "--users", "0"], "0 is not in the range"),
        (["--plan", "solo", "--users", "1000000000"], "1000000000 is not in the range"),
        (["--plan", "gold"], "There is no plan gold"),
        (["--plan", "quotient", "--term", "yearly"], "has no yearly price"),
    ],
)
def test_what_cannot_be_sold_is_refused_in_one_sentence(
    context: Context, words: list[str], why: str
) -> None:
    with pytest.raises((PaquetError, click.ClickException)) as refused:
        run(context, *JEANNE, *words)
    assert why in str(refused.value)
    assert read(context, "list") == []


def test_a_month_of_turnover_is_declared_once_and_billed_at_once(context: Context) -> None:
    run(context, *JEANNE[:-1], "2026-02-10", "--plan", "boutique")
    declared = read(context, "declare", "1", "2026-02", "1234.56", "--yes")
    assert [one["gross"] for one in declared["documents"]] == [euros(1235)]
    for words, why in (
        (("1", "2026-02", "1"), "was declared already"),
        (("1", "2026-03", "1"), "is not over on 2026-03-10"),
        (("1", "2026-01", "1"), "did not run in 2026-01"),
        (("1", "2026-13", "1"), "is not a month"),
        (("1", "0000-01", "1"), "cannot be the first day of a month"),
        (("1", "2026-02", "-1"), "is negative"),
        (("2", "2026-02", "1"), "There is no subscription 2"),
    ):
        with pytest.raises(PaquetError, match=why):
            run(context, "declare", "--yes", "--", *words)
    with context.session() as session:
        assert verify.verify(session) == []


def test_a_plan_without_turnover_takes_no_declaration(context: Context) -> None:
    run(context, *JEANNE[:-1], "2026-02-10", "--plan", "solo")
    with pytest.raises(PaquetError, match="The plan solo does not depend on turnover"):
        run(context, "declare", "1", "2026-02", "5", "--yes")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["0", "--reason", "x"], "above 0 and up to 100 percent"),
        (["100.01", "--reason", "x"], "above 0 and up to 100 percent"),
        (["12.345", "--reason", "x"], "is not an amount"),
        (["five", "--reason", "x"], "is not an amount"),
        (["5", "--reason", " "], "The reason is empty"),
        (["5", "--reason", "x", "--from", "2026-03-31"], "is billed up to 2026-04-01 already"),
        (["5", "--reason", "x", "--from", "2026-05-02", "--to", "2026-05-01"], "would end before"),
    ],
)
def test_a_discount_that_cannot_be_is_refused(context: Context, words: list[str], why: str) -> None:
    run(context, *JEANNE, "--plan", "solo")
    billing.bill(context.engine, TODAY)
    with pytest.raises(PaquetError, match=why):
        run(context, "discount", "1", *words, "--yes")


def test_who_somebody_is_is_checked_and_kept(context: Context) -> None:
    run(context, *JEANNE, "--plan", "solo")
    firm = ("--kind", "company", "--siren", "732 829 320", "--name", "Jeanne SARL")
    where = ("--street", "1 rue du Port", "--postcode", "14000", "--city", "Caen")
    with pytest.raises(PaquetError, match="need its address"):
        run(context, "identify", "jeanne@exemple.test", *firm, "--yes")
    found = read(context, "identify", "jeanne@exemple.test", *firm, *where, "--yes")
    assert (found["name"], found["address"]["city"]) == ("Jeanne SARL", "Caen")
    for words, why in (
        ((*firm[:3], "732829321", *where), "has a wrong digit"),
        ((*where[:2], "--postcode", "<b>"), "postcode: "),
        (("--street", "a\u202eb", *where[2:]), "cannot be seen"),
    ):
        with pytest.raises(PaquetError, match=why):
            run(context, "identify", "jeanne@exemple.test", *words, "--yes")
    with pytest.raises(PaquetError, match="Nobody here has this"):
        run(context, "identify", "paul@exemple.test", "--yes")


def test_notices_are_written_and_kept_as_sent(context: Context, tmp_path: Path) -> None:
    run(context, *JEANNE, "--plan", "famille", "--term", "yearly")
    folder = tmp_path / "letters"
    folder.mkdir()
    words = ("notices", "--on", "2026-12-15")
    (row,) = read(context, *words)
    assert (row["deadline"], row["state"]) == ("2027-02-28", "to be sent")
    read(context, *words, "--write", str(folder), "--dry-run")
    assert list(folder.iterdir()) == []
    read(context, *words, "--write", str(folder), "--yes")
    assert {path.name for path in folder.iterdir()} == {
        "subscription-1-2027-02-28.html",
        "subscription-1-2027-02-28.txt",
        "letters.csv",
    }
    (_head, listed) = (folder / "letters.csv").read_text(encoding="utf-8-sig").splitlines()
    assert listed.startswith("2026-12-15;;renewal;Jeanne;")
    assert listed.endswith(";110,00;;subscription-1-2027-02-28.txt")
    assert "Nobody has to be told." in run(context, *words)


def test_a_notice_goes_into_the_post_where_there_is_one(context: Context, tmp_path: Path) -> None:
    run(context, *JEANNE, "--plan", "famille", "--term", "yearly")
    with context.config.open("a", encoding="utf-8") as config:
        config.write("[post]\nsince = 2026-12-01\n")
    posted = Context(context.config)
    run(posted, "notices", "--on", "2026-12-15", "--write", str(tmp_path), "--yes")
    run(posted, "notices", "--on", "2026-12-15", "--write", str(tmp_path), "--yes")
    with posted.reading() as session:
        letter = session.scalars(select(Letter)).one()
    assert (letter.key, letter.kind) == ("renewal:1:2027-02-28", "renewal")
    assert letter.subject.startswith("Votre abonnement Famille sera reconduit")
    assert "Date limite de non-reconduction : 28 février 2027" in letter.html
    posted.engine.dispose()


def test_a_language_that_is_said_later_is_that_of_lines_and_letters_too(
    context: Context, tmp_path: Path
) -> None:
    run(context, *JEANNE, "--plan", "famille", "--term", "yearly")
    run(context, "identify", "jeanne@exemple.test", "--language", "en", "--yes")
    with context.reading() as session:
        assert session.scalars(select(Subscriber.language)).one() == "en"
    run(context, "notices", "--on", "2026-12-15", "--write", str(tmp_path), "--yes")
    text = (tmp_path / "subscription-1-2027-02-28.txt").read_text(encoding="utf-8")
    assert text.startswith("Your subscription Family will be renewed on 1 March 2027")
    assert "Bonjour" not in text


def test_a_credit_is_asked_for_by_the_number_of_the_invoice(context: Context) -> None:
    run(context, *JEANNE, "--plan", "famille")
    billing.bill(context.engine, TODAY)
    words = ("credit", "Boutique Libre", "F2026-000001", "--reason", "panne", "--yes")
    found = read(context, *words, "--amount", "2.50")
    assert found["documents"][0]["document"] == "A2026-000001"
    with pytest.raises(PaquetError, match=r"€7\.50 of this invoice can still be credited"):
        run(context, *words, "--amount", "7.51")
    withdrawn = read(context, "withdraw", "1", "--yes")
    assert [one["gross"] for one in withdrawn["documents"]] == [euros(750)]


def test_contracts_come_from_a_file_and_the_same_file_changes_nothing(
    context: Context, tmp_path: Path
) -> None:
    assert "Nothing is new." in run(
        context, "import", str(example("contract")), "--yes", group=contract
    )
    with context.session() as session:
        keeper = organisations.get(session, "Les Amis du Libre")
        session.add(Fund(name="Communs", kind="commons", custodian=keeper, decider="L'assemblée"))
    text = example("contract").read_text(encoding="utf-8")
    head, more = text.replace("\nfrom = 2026-01-01", "\nfrom = 2026-02-01").split("parts = 70")
    for word in ("[[", "role", "fund", "organisation", "parts"):
        more = more.replace(f"# {word}", word)
    file = tmp_path / "contract.toml"
    file.write_text(f"{head}parts = 70{more}", encoding="utf-8")
    assert len(read(context, "import", str(file), "--dry-run", group=contract)) == 1
    (made,) = read(context, "import", str(file), "--yes", group=contract)
    assert made["shares"] == (
        "30 Les Amis du Libre, 70 Boutique Libre, 80 Les Amis du Libre (support), "
        "20 Communs (support)"
    )
    assert read(context, "import", str(file), "--yes", group=contract) == []


def test_an_association_sells_alone_until_it_shares_with_a_shop(context: Context) -> None:
    friends, shop = "Les Amis du Libre", "Boutique Libre"
    alone = ("add", friends, "--from", "2026-01-01", "--yes")
    for more in (("--seller-parts", "70"), ("--supporter-parts", "0"), ("--mode", "resale")):
        with pytest.raises(PaquetError, match="alone nothing is shared"):
            run(context, *alone, *more, group=contract)
    made = read(context, *alone, group=contract)
    assert (made["mode"], made["shares"]) == ("alone", "")
    paul = ("open", "paul@exemple.test", "--name", "Paul", "--plan", "famille", "--sold-by")
    run(context, *paul, friends, "--from", "2026-03-01", "--yes")
    with pytest.raises(PaquetError, match=f"{shop}, alone, has no contract on"):
        run(context, "change", "1", "--sold-by", shop, "--yes")
    run(context, "change", "1", "--sold-by", shop, "--supported-by", friends, "--yes")
    (shown,) = read(context, "show", "1")
    assert (shown["mode"], shown["contract_from"]) == ("resale", "2026-01-01")


def test_two_who_share_say_how(context: Context) -> None:
    words = ("add", "Boutique Libre", "Les Amis du Libre", "--from", "2026-09-01", "--yes")
    for parts in ((), ("--seller-parts", "70"), ("--supporter-parts", "30")):
        with pytest.raises(PaquetError, match="How do they share"):
            run(context, *words, *parts, group=contract)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("parts = 30", "parts = 31", "have a contract from 2026-01-01 already"),
        ("parts = 30", "parts = -1", "share 1, parts: "),
        ("parts = 30", "parts = 10001", "share 1, parts: "),
        ('mode = "resale"', 'mode = "theft"', "contract 1, mode: "),
        ('organisation = "Boutique Libre"', 'fund = "Nobody"', "There is no fund Nobody"),
        ("parts = 70", 'fund = "Communs"\nparts = 70', "is of an organisation or of a fund"),
        ("\nfrom = 2026-01-01", "\nfrom = 1900-01-01", "cannot be a first day"),
        ('organisation = "Boutique Libre"', 'organisation = "Autre"', "is no party of this"),
        ('seller = "Boutique Libre"', 'seller = "Boutique"', "There is no organisation Boutique"),
        ("parts = 70", 'parts = 70\nrole = "a b"', "share 2, role"),
        ("parts = 70", "parts = 70\nsecret = 1", "Extra inputs are not permitted"),
    ],
)
def test_a_contract_file_with_a_mistake_is_refused(
    context: Context, tmp_path: Path, old: str, new: str, why: str
) -> None:
    run(context, "add", "Autre", "--kind", "association", "--yes", group=organisation)
    text = example("contract").read_text(encoding="utf-8")
    assert old in text
    file = tmp_path / "contract.toml"
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(PaquetError, match=why):
        run(context, "import", str(file), "--yes", group=contract)


def test_a_plan_shows_all_that_it_knows(context: Context) -> None:
    shown = read(context, "show", "equipe", group=plan)
    assert [one["component"] for one in shown["components"]] == ["bundle", "room", "user"]
    assert [one["pays"] for one in shown["tiers"]] == ["50 %", "25 %"]
    assert (shown["vat"], shown["trial_days"]) == ("excluded", 30)
    free = read(context, "show", "libre", group=plan)
    assert (free["free_from"], free["reference"]) == (euros(200), euros(500))
    assert read(context, "show", "boutique", group=plan)["part_of_turnover"] == "1 %"
    assert "income / persons" in run(context, "show", "quotient", group=plan)
