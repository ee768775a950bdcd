"""`make bench`, the money: bill 100,000 subscribers on SQLite and on PostgreSQL, in one run.

Nothing here fails because it is slow. What is measured runs in a process of its own, so that its
peak of memory is its own.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from provision import database
from provision.commands.shared import tables
from provision.formats.facturx.batches import many
from provision.formats.facturx.facturx_xml import facturx
from provision.formats.sepa import debit_files, debits, mandates
from provision.migrations import upgrades
from provision.registry.models import Subscriber
from provision.subscriptions.books import papers, verify
from provision.subscriptions.documents import describing
from provision.subscriptions.documents.models import Invoice
from provision.subscriptions.offers import contracts, planfile, plans
from provision.subscriptions.parties import organisations, people
from provision.subscriptions.parties.models import Identity, PersonReference
from provision.subscriptions.parties.profiles import Address, Profile
from provision.subscriptions.selling import billing
from provision.subscriptions.selling.models import Subscription, SubscriptionVersion
from tests import postgresql_cluster
from tests.bench.figures import Figures, timed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from provision.subscriptions.parties.models import Organisation

SUBSCRIBERS = int(os.environ.get("PAQUET_BENCH_SUBSCRIBERS", "100000"))
START, DAY = date(2026, 1, 1), date(2026, 1, 15)
PLANS = """
[[plan]]
code = "famille"
name = { fr = "Famille", en = "Family" }
users = 5
quota_gib = 100
price = [{ from = 2026-01-01, monthly = "10.00" }]
"""
PERSON = '{{"name":"Personne {0}","email":"p{0}@exemple.test"}}'
OPERATOR = """[operator]
name = "Nuage"
zone = "nuage.test"
contact = "aide@nuage.test"
"""
IBAN = "FR7630006000011234567890189"


def fill(url: str, count: int = SUBSCRIBERS) -> None:
    """Make a registry in which everybody subscribed on one day, to a seller liable for VAT."""
    engine = database.connect(url)
    upgrades.upgrade(engine)
    numbers = range(1, count + 1)
    with database.transaction(engine) as session:
        seller, supporter = _sellers(session)
        plans.bring_in(session, planfile.parse(PLANS))
        plan, shares = plans.get(session, "famille"), contracts.two(seller, supporter, (70, 30))
        contract = contracts.add(session, seller, supporter, shares, terms=("resale", START))
        add, moment = partial(database.insert_many, session), datetime(2026, 1, 1, tzinfo=UTC)
        names = {"language": "fr", "created_at": moment}
        add(Subscriber, [_person(number) | names for number in numbers])
        add(PersonReference, [_reference(number) for number in numbers])
        known = {"recorded_on": START}
        add(Identity, [_identity(number) | known for number in numbers])
        parties = {"order_id": None, "seller_id": seller.id, "supporter_id": supporter.id}
        days = {"first_day": START, "state": "active", "last_day": None, "billed_to": START}
        add(
            Subscription,
            [{"id": number, "subscriber_id": number} | parties | days for number in numbers],
        )
        version = {
            "version": 1,
            "from_day": START,
            "anchor_day": START,
            "recorded_on": START,
            "plan_id": plan.id,
            "period": "monthly",
            "priced_on": START,
            "contract_id": contract.id,
            "users": 5,
            "gib": 100,
            "means": "{}",
        }
        add(SubscriptionVersion, [{"subscription_id": number} | version for number in numbers])
    engine.dispose()


def _sellers(session: Session) -> tuple[Organisation, Organisation]:
    seller = organisations.add(session, "Boutique", "business", siren_typed="732829320")
    supporter = organisations.add(session, "Les Amis", "association")
    for one, vat, vat_id in (
        (seller, "liable", "FR44732829320"),
        (supporter, "association_accessory", ""),
    ):
        words = {"name": one.name, "legal": one.name, "email": "a@exemple.test", "vat": vat}
        address = Address(lines=("1 rue du Port",), postcode="14000", city="Caen")
        profile = Profile.model_validate(
            {**words, "vat_id": vat_id, "address": address, "iban": IBAN}, strict=False
        )
        describing.describe(session, one, profile, START)
    return seller, supporter


def _person(number: int) -> dict[str, object]:
    return {"id": number, "name": f"Personne {number}", "email": f"p{number}@exemple.test"}


def _reference(number: int) -> dict[str, object]:
    reference = people.salted(number, "sel")
    return {"reference": reference, "subscriber_id": number, "salt": "sel"}


def _identity(number: int) -> dict[str, object]:
    return {"id": number, "subscriber_id": number, "content": PERSON.format(number)}


def bill(url: str) -> int:
    """Bill all that is due."""
    return billing.bill(database.connect(url), DAY).documents


def check(url: str, *, seals: bool) -> int:
    """Look for what is not whole."""
    with database.reading(database.connect(url)) as session:
        found, _heads = verify.verify(session, seals=seals), verify.heads(session)
        return len(found)


def command(url: str) -> int:
    """Verify as a person does, from the start of the command to its end; return its exit code."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "paquet.toml")
        file.write_text(f"{OPERATOR}[registry]\nurl = '{url}'\n", encoding="utf-8")
        paquet = [str(Path(sys.executable).with_name("paquet")), "--config", str(file)]
        verified = [*paquet, "books", "verify", "--quick"]
        return subprocess.run(verified, check=False, stdout=subprocess.DEVNULL).returncode


def documents(url: str) -> int:
    """Make the Factur-X of every invoice, valid by its schema."""
    with Session(database.connect(url)) as session:
        return sum(1 for _xml in many(facturx, papers.every(session, select(Invoice))))


def collect(_url: str) -> int:
    """Write the files of direct debits, valid by their schema."""
    creditor = debits.Creditor("Boutique", IBAN, "AGRIFRPP", "FR72ZZZ123456")
    hand_over = debit_files.HandOver(
        collect_on=date(2026, 2, 2),
        created_at=datetime(2026, 1, 15, 12),  # noqa: DTZ001 (the bank's local time)
        message_prefix="BENCH",
    )
    return sum(file.count for file in debit_files.files(list(_debits()), creditor, hand_over))


def _debits() -> Iterator[debits.Debit]:
    home = {"street": "1 rue du Port", "postcode": "14000", "town": "Caen", "country": "FR"}
    creditor = mandates.MandateParty(name="Boutique", **home)
    for number in range(1, SUBSCRIBERS + 1):
        mandate = mandates.Mandate(
            reference=f"RUM{number}",
            creditor_identifier="FR72ZZZ123456",
            creditor=creditor,
            debtor=mandates.MandateParty(name=f"Personne {number}", **home),
            iban=IBAN,
            bic="AGRIFRPP",
            signed_on=START,
        )
        shown = f"F2026-{number:06d}"
        yield debits.Debit(f"F2026{number:06d}", 1000, mandate, f"Facture {shown}", shown)


def alone(work: Callable[..., int], *words: object, **options: object) -> tuple[int, float, int]:
    """Run `work` in a process of its own; return what it says, its seconds and its peak in MB."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_measured, args=(sender, partial(work, *words, **options)))
    process.start()
    said: tuple[int, float, int] = receiver.recv()
    process.join()
    return said


def _measured(sender: object, work: Callable[[], int]) -> None:
    said = []
    seconds = timed(lambda: said.append(work()))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    sender.send((said[0], seconds, peak))  # type: ignore[attr-defined] # a pipe's end


def measure(figures: Figures, name: str, url: str, aim: str) -> None:
    """Bill twice, and look at all of it, on one database."""
    fill(url)
    made, seconds, peak = alone(bill, url)
    figures.add(f"{name}: bill, {made} documents, peak {peak} MB", seconds, aim=aim)
    made, seconds, _peak = alone(bill, url)
    figures.add(f"{name}: bill again, {made} new", seconds, aim="≤ 10 s")
    found, seconds, _peak = alone(check, url, seals=False)
    figures.add(f"{name}: every invariant, {found} broken", seconds, aim="≤ 2 s")
    code, seconds, _peak = alone(command, url)
    figures.add(f"{name}: paquet books verify --quick, exit code {code}", seconds)
    found, seconds, peak = alone(check, url, seals=True)
    figures.add(f"{name}: and every seal again, {found} broken, peak {peak} MB", seconds)


def main() -> None:
    """Measure all and print the table."""
    figures = Figures()
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'bench.db'}"
        measure(figures, "SQLite", url, "≤ 30 s")
        made, seconds, peak = alone(documents, url)
        figures.add(f"{made} Factur-X with XSD, peak {peak} MB", seconds, aim="≤ 180 s")
        made, seconds, peak = alone(collect, url)
        figures.add(f"pain.008 of {made} debits, peak {peak} MB", seconds, aim="≤ 60 s")
    if postgresql_cluster.TOOLS is None:
        click.echo("PostgreSQL: skipped, it is not installed", err=True)
    else:
        with postgresql_cluster.running("fsync=on") as socket:
            psql = ["psql", "-h", str(socket), "-U", "paquet", "-d", "postgres", "-qc"]
            subprocess.run([*psql, "CREATE DATABASE bench"], check=True)
            measure(figures, "PostgreSQL", f"postgresql://paquet@/bench?host={socket}", "≤ 60 s")
    tables.show(figures.rows, "en", as_json=False)


if __name__ == "__main__":
    main()
