"""Names: is every record answered as it should be, and does the address point back."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from provision.checks.findings import Check, error, ok, warning
from provision.dns.hostnames import absolute
from provision.dns.lookup import Outcome, ask, ask_reverse, authoritative_servers, mismatch
from provision.dns.records import Record, has_policy, zone_records
from provision.errors import PaquetError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from provision.checks.findings import Finding
    from provision.checks.target import Target
    from provision.dns.lookup import Answer, NameServer

# Without the others there is no mail or no cloud; without these a client needs more typing, and
# some receivers trust less.
RECOMMENDED_TYPES = ("SRV", "CAA", "AAAA")
RECOMMENDED_LABELS = ("_dmarc", "_caldavs", "_carddavs")
PUBLISH = "`paquet dns diff` shows what differs, `paquet dns publish` mends it."


def name_checks(target: Target) -> list[Check]:
    """Return one check per record that should be there, and one for the way back."""
    asked = target.resolver or _decider(target)
    return [
        *(
            Check(_title(record), partial(look_at_record, record, asked))
            for record in target.records
        ),
        Check("dns PTR", partial(look_at_reverse, target)),
    ]


def is_required(record: Record) -> bool:
    """Whether mail or cloud do not work without the record."""
    return not (record.type in RECOMMENDED_TYPES or record.name.split(".")[0] in RECOMMENDED_LABELS)


def look_at_record(record: Record, asked: NameServer | None) -> Iterator[Finding]:
    """Yield whether the record is answered with its values."""
    check, answer = _title(record), ask(record.name, record.type, asked)
    problem = mismatch(record, answer)
    if not problem:
        yield ok(check, ", ".join(record.values)[:80])
    elif is_required(record):
        yield error(check, problem, PUBLISH)
    else:
        yield warning(check, problem, PUBLISH)


def look_at_reverse(target: Target) -> Iterator[Finding]:
    """Yield whether the address points back to the name that the mail server greets with."""
    answer = ask_reverse(target.address, target.resolver)
    if absolute(target.mail_host) in answer.values:
        yield ok("dns PTR", f"{target.address} is {target.mail_host}")
    else:
        there = ", ".join(answer.values) or answer.reason
        yield warning(
            "dns PTR",
            f"{target.address} does not point back to {target.mail_host}: {there}",
            "Large providers refuse such mail. Set the reverse name where the server is rented.",
        )


def zone_check(zone: str, resolver: NameServer | None) -> Check:
    """Return the check of the operator's zone itself: may others write in its name."""
    return Check("dns zone", partial(look_at_zone, zone, resolver))


def look_at_zone(zone: str, resolver: NameServer | None) -> Iterator[Finding]:
    """Yield whether the zone says who sends mail in its name, and what to do with other mail."""
    asked = resolver or next(iter(authoritative_servers(zone)), None)
    top = absolute(zone)
    keys = ((top, "MX"), (top, "TXT"), (f"_dmarc.{top}", "TXT"))
    seen = [Record(answer.name, answer.type, 0, answer.values) for answer in _answers(keys, asked)]
    publish = f"`paquet dns diff {zone}` shows what lacks, `paquet dns publish {zone}` mends it."
    wanted = zone_records(zone, [])
    lacking = [record for record in wanted if not has_policy(record, seen)]
    sends_none = wanted[0].values[0] in {value for record in seen for value in record.values}
    if lacking:
        said = " and ".join(_title(record) for record in lacking)
        yield warning("dns zone", f"Others may write in the name of {zone}: no {said}", publish)
    elif sends_none and not zone_records(zone, seen):
        said = f"{zone} takes mail, but its SPF says that nobody sends any"
        yield warning("dns zone", said, "Name its mail server in SPF, or take its MX away.")
    else:
        yield ok("dns zone", f"{zone} says who sends mail in its name")


def _answers(keys: Iterable[tuple[str, str]], asked: NameServer | None) -> Iterator[Answer]:
    for name, kind in keys:
        answer = ask(name, kind, asked)
        if answer.outcome is Outcome.FAILED:
            raise PaquetError(f"{name} {kind} is not answered: {answer.reason}", PUBLISH)
        if answer.values:
            yield answer


def _title(record: Record) -> str:
    return f"dns {record.type} {record.name.rstrip('.')}"


def _decider(target: Target) -> NameServer | None:
    """Return a server that decides about the domain: its answers are not from a cache."""
    if not target.records:
        return None
    return next(iter(authoritative_servers(target.domain)), None)
