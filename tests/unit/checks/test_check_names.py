from __future__ import annotations

from dataclasses import replace

import pytest

from provision.checks.findings import Result, run
from provision.checks.names import is_required, name_checks, zone_check
from provision.dns import lookup
from provision.dns.lookup import NameServer
from provision.dns.records import Record
from tests.unit.checks.loopback import DOMAIN, MAIL_HOST, a_target, resolver

SPF = Record(f"{DOMAIN}.", "TXT", 60, ('"v=spf1 mx -all"',))
MX = Record(f"{DOMAIN}.", "MX", 60, (f"10 {MAIL_HOST}.",))
SRV = Record(f"_imaps._tcp.{DOMAIN}.", "SRV", 60, (f"0 1 993 {MAIL_HOST}.",))
PTR = Record("1.0.0.127.in-addr.arpa.", "PTR", 60, (f"{MAIL_HOST}.",))


def results(wanted: list[Record], answered: list[Record]) -> dict[str, Result]:
    with resolver(answered) as asked:
        found = run(name_checks(a_target(records=tuple(wanted), resolver=asked)))
    return {finding.check: finding.result for finding in found}


def test_records_that_are_answered_are_fine() -> None:
    assert set(results([SPF, MX, SRV], [SPF, MX, SRV, PTR]).values()) == {Result.OK}


def test_a_missing_record_is_an_error_and_a_recommended_one_a_warning() -> None:
    assert results([SPF, MX, SRV], []) == {
        f"dns TXT {DOMAIN}": Result.ERROR,
        f"dns MX {DOMAIN}": Result.ERROR,
        f"dns SRV _imaps._tcp.{DOMAIN}": Result.WARNING,
        "dns PTR": Result.WARNING,
    }


def test_a_second_mail_server_beside_ours_is_an_error() -> None:
    both = replace(MX, values=(*MX.values, "5 mx.elsewhere.test."))
    assert results([MX], [both])[f"dns MX {DOMAIN}"] is Result.ERROR


def test_a_text_of_others_beside_ours_is_fine_but_not_a_second_spf() -> None:
    verified = replace(SPF, values=(*SPF.values, '"some-verification=1"'))
    assert results([SPF], [verified])[f"dns TXT {DOMAIN}"] is Result.OK
    doubled = replace(SPF, values=(*SPF.values, '"v=spf1 a ~all"'))
    assert results([SPF], [doubled])[f"dns TXT {DOMAIN}"] is Result.ERROR


def test_an_address_that_points_elsewhere_is_a_warning_with_what_is_there() -> None:
    elsewhere = replace(PTR, values=("rented-17.example.",))
    with resolver([elsewhere]) as asked:
        (finding,) = run(name_checks(a_target(resolver=asked)))
    assert finding.result is Result.WARNING
    assert "rented-17.example." in finding.message


def test_a_name_server_that_is_down_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookup, "SECONDS", 0.2)
    target = a_target(records=(MX,), resolver=NameServer("127.0.0.1", 1))
    finding = run(name_checks(target))[0]
    assert finding.result is Result.ERROR
    assert f"{DOMAIN}. MX is failed" in finding.message


@pytest.mark.parametrize(
    ("name", "kind", "value", "required"),
    [
        ("a.test.", "A", "203.0.113.1", True),
        ("k._domainkey.a.test.", "TXT", '"v=DKIM1"', True),
        ("_dmarc.a.test.", "TXT", '"v=DMARC1; p=none"', False),
        ("_caldavs._tcp.a.test.", "TXT", '"path=/"', False),
        ("a.test.", "CAA", '0 issue "x"', False),
    ],
)
def test_what_mail_and_cloud_need_is_required(
    name: str, kind: str, value: str, *, required: bool
) -> None:
    assert is_required(Record(name, kind, 60, (value,))) is required


NOBODY = Record("paquet.test.", "TXT", 60, ('"v=spf1 -all"', '"a note"'))
REJECTED = Record("_dmarc.paquet.test.", "TXT", 60, ('"v=DMARC1; p=none"',))
TAKES_MAIL = Record("paquet.test.", "MX", 60, ("10 mail.ailleurs.test.",))
THEIRS = Record("paquet.test.", "TXT", 60, ('"v=spf1 mx -all"',))


@pytest.mark.parametrize(
    ("answered", "result", "told"),
    [
        ([], Result.WARNING, "dns TXT paquet.test and dns TXT _dmarc.paquet.test"),
        ([NOBODY], Result.WARNING, "no dns TXT _dmarc.paquet.test"),
        ([NOBODY, REJECTED], Result.OK, "says who sends"),
        ([THEIRS, REJECTED, TAKES_MAIL], Result.OK, "says who sends"),
        ([NOBODY, REJECTED, TAKES_MAIL], Result.WARNING, "takes mail"),
    ],
)
def test_the_operators_zone_says_who_writes_in_its_name(
    answered: list[Record], result: Result, told: str
) -> None:
    with resolver(answered) as asked:
        (finding,) = run([zone_check("paquet.test", asked)])
    assert finding.result is result
    assert told in finding.message


def test_a_zone_that_is_not_answered_is_not_called_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookup, "SECONDS", 0.2)
    (finding,) = run([zone_check("paquet.test", NameServer("127.0.0.1", 1))])
    assert finding.result is Result.ERROR
    assert "is not answered" in finding.message
