"""One line of a list as a client, with a mandate and a subscription if it tells of them. Pure.

Each cell is checked by what checks the same word when it is typed, and every mistake of a line is
told, not its first one alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from provision import edges
from provision.days import ONE_DAY
from provision.errors import PaquetError, UsageRefused, WordRefused
from provision.formats.clients import cells, columns
from provision.formats.clients.columns import STREETS
from provision.formats.clients.table import LineFault, fault_at
from provision.formats.codes import business_numbers, countries
from provision.formats.facturx.parties import MOST_ADDRESS_LINES
from provision.formats.sepa.prenotification import masked

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from datetime import date

    from provision.formats.clients.columns import Vocabulary
    from provision.formats.clients.table import ClientRecord, ClientTable

    Values: TypeAlias = Mapping[str, Any]

MONTHLY = "monthly"
# What `identities.changed` takes, under the same name.
SAID = (
    *("kind", "siren", "vat_id", "lines", "postcode", "city", "country", "language"),
    "order_reference",
)


@dataclass(frozen=True)
class MandateWords:
    """A mandate as a line tells of it; what is missing is '' or None."""

    iban: str
    bic: str
    holder: str
    reference: str
    signed_on: date | None
    last_collected_on: date | None
    notice_days: int | None


@dataclass(frozen=True)
class SubscriptionWords:
    """A subscription as a line tells of it: `first_day` is the first one that is not paid yet.

    `paid` says that it ran before: a trial is over. Without `supported_by` one sells alone.
    """

    plan: str
    first_day: date
    paid: bool
    term: str
    supported_by: str


@dataclass(frozen=True)
class ClientLine:
    """Who stands in a line: number here, name and e-mail address, None or '' where it says none.

    `said` is what `identities.changed` takes.
    """

    line: int
    number: int | None
    name: str
    email: str
    said: Mapping[str, object]
    mandate: MandateWords | None
    subscription: SubscriptionWords | None


def read(
    table: ClientTable, vocabulary: Vocabulary, words: Collection[str]
) -> tuple[list[ClientLine], list[LineFault]]:
    """Return the lines that are right, and the faults of all others; only `words` are read."""
    broken = {fault.line for fault in table.faults}
    faults = list(table.faults)
    rows: list[tuple[int, Values]] = []
    for record in table.records:
        if record.line not in broken:
            values, refused = _values(record, vocabulary, words)
            rows.append((record.line, values))
            faults += [
                fault_at(record.line, table.columns.get(word, word), wrong)
                for word, wrong in refused
            ]
    faults += _twice(rows, table)
    broken = {fault.line for fault in faults}
    faults.sort(key=lambda fault: fault.line)
    return [_client(line, values) for line, values in rows if line not in broken], faults


def numbered(lines: Sequence[int]) -> str:
    """Return ascending numbers of lines as people write them: 2-41, 44."""
    runs: list[list[int]] = []
    for line in lines:
        if runs and runs[-1][-1] == line - 1:
            runs[-1] = [runs[-1][0], line]
        else:
            runs.append([line])
    return ", ".join("-".join(map(str, run)) for run in runs)


def shared_accounts(clients: Collection[ClientLine]) -> list[str]:
    """Return a sentence for each account that several lines have: one mandate each is meant."""
    lines: dict[str, list[int]] = {}
    for client in clients:
        if client.mandate and client.mandate.iban:
            lines.setdefault(client.mandate.iban, []).append(client.line)
    return [
        f"Lines {numbered(on)} have the same account {masked(iban)}"
        for iban, on in lines.items()
        if len(on) > 1
    ]


def _values(
    record: ClientRecord, vocabulary: Vocabulary, words: Collection[str]
) -> tuple[dict[str, Any], list[tuple[str, PaquetError]]]:
    """Return what the cells say, by word, and what is wrong with which of them."""
    values: dict[str, Any] = {}
    refused: list[tuple[str, PaquetError]] = []

    def take(word: str, check: Callable[[], object], told_at: str) -> None:
        try:
            values[word] = check()
        except PaquetError as wrong:
            refused.append((wrong.word if isinstance(wrong, WordRefused) else told_at, wrong))

    for word, cell in record.words.items():
        if word in words:
            take(word, partial(cells.value, word, cell, vocabulary), word)
    wrong = {word for word, _refused in refused}
    for word, (needed, check) in TOGETHER.items():
        if needed[0] in words and wrong.isdisjoint(needed):
            take(word, partial(check, values), needed[0])
    return values, refused


def _name(values: Values) -> str:
    """Return the name, the first name before it."""
    return edges.person_name(f"{values.get('first_name', '')} {values.get('name', '')}".strip())


def _address_lines(values: Values) -> tuple[str, ...]:
    lines = tuple(line for word in STREETS for line in values.get(word, ()))
    if len(lines) > MOST_ADDRESS_LINES:
        raise UsageRefused(
            f"The address has {len(lines)} lines", f"Write at most {MOST_ADDRESS_LINES}."
        )
    return tuple(edges.person_name(line, "street") for line in lines)


def _postcode(values: Values) -> str:
    typed = values.get("postcode")
    return business_numbers.postcode(typed, values.get("country") or "FR") if typed else ""


def _mandate(values: Values) -> MandateWords | None:
    if not any(values.get(word) for word in columns.MANDATE):
        return None
    if not values.get("iban") and not values.get("reference"):
        raise WordRefused(
            "iban",
            "The line tells of a mandate, but not of which account",
            "Write the IBAN, or leave all of the mandate out.",
        )
    signed_on = values.get("signed_on") or None
    collected = values.get("last_collected_on") or None
    if signed_on and collected and collected < signed_on:
        raise WordRefused(
            "last_collected_on",
            f"The last debit, on {collected}, is before the signature",
            "Give both as the paper and the bank say them.",
        )
    return MandateWords(
        **{word: values.get(word, "") for word in ("iban", "bic", "holder", "reference")},
        signed_on=signed_on,
        last_collected_on=collected,
        notice_days=values.get("notice_days") or None,
    )


def _subscription(values: Values) -> SubscriptionWords | None:
    if not any(values.get(word) for word in columns.SUBSCRIPTION):
        return None
    begins_on, paid_until = values.get("begins_on"), values.get("paid_until")
    if not values.get("plan"):
        raise WordRefused(
            "plan",
            "The line tells of a subscription, but not of which plan",
            "See: paquet plan list",
        )
    first_day = paid_until + ONE_DAY if paid_until else begins_on
    if not first_day:
        raise WordRefused(
            "begins_on",
            "It is not said from when on the subscription is to be billed",
            "Write its first day, or until when it is paid.",
        )
    if begins_on and begins_on > first_day:
        raise WordRefused(
            "paid_until",
            f"It is paid until {paid_until}, before it begins on {begins_on}",
            "Leave one of both out.",
        )
    return SubscriptionWords(
        plan=values["plan"],
        first_day=first_day,
        paid=bool(paid_until),
        term=values.get("term") or MONTHLY,
        supported_by=values.get("supported_by", ""),
    )


# What several cells say together, once each of them is right.
TOGETHER: Mapping[str, tuple[tuple[str, ...], Callable[[Values], object]]] = {
    "name": (("name", "first_name"), _name),
    "lines": (STREETS, _address_lines),
    "postcode": (("postcode", "country"), _postcode),
    "mandate": (columns.MANDATE, _mandate),
    "subscription": (columns.SUBSCRIPTION, _subscription),
}


def _client(line: int, values: Values) -> ClientLine:
    return ClientLine(
        line=line,
        number=values.get("paquet_number") or None,
        name=values.get("name", ""),
        email=values.get("email", ""),
        said={word: values[word] for word in SAID if values.get(word)},
        mandate=values.get("mandate"),
        subscription=values.get("subscription"),
    )


def _twice(rows: Sequence[tuple[int, Values]], table: ClientTable) -> list[LineFault]:
    """Return a fault for each line that says again whom or which mandate another one is about."""
    seen: dict[tuple[str, object], int] = {}
    faults = []
    for line, values in rows:
        for word, value in _unique(values):
            first = seen.setdefault((word, value), line)
            if first != line:
                faults.append(
                    LineFault(
                        line,
                        table.columns.get(word, word),
                        f"Line {first} has the same",
                        "A client has one line, and a mandate one reference.",
                    )
                )
    return faults


def _unique(values: Values) -> Iterator[tuple[str, object]]:
    for word in (*columns.WHO, "reference"):
        if values.get(word):
            yield word, values[word]
    if values.get("name") and not any(values.get(word) for word in columns.WHO):
        where = (values.get("lines", ()), values.get("postcode", ""))
        yield "name", (countries.plain(values["name"]), *where)
