from __future__ import annotations

from provision.formats.bank import reasons

ACCOUNT = {"AC01", "AC04", "AC06", "AC13", "AG01", "AG02", "AM04", "AM05", "BE05"}
BANK = {"CNOR", "DNOR", "FF01", "FOCR", "RC01", "RR01", "RR02", "RR03", "RR04", "SL01", "TM01"}
MANDATE = {"MD01", "MD02", "MD06", "MD07", "MS02", "MS03"}


def test_every_reason_of_a_direct_debit_is_explained_in_both_languages() -> None:
    assert set(reasons.REASONS) == ACCOUNT | BANK | MANDATE
    for code, reason in reasons.REASONS.items():
        assert reason.code == code
        assert reason.fr != reason.en


def test_nothing_is_collected_again_under_a_void_mandate() -> None:
    void = {code for code, reason in reasons.REASONS.items() if reason.voids_mandate}
    assert void == {"AC01", "AC04", "AC13", "AG01", "MD01", "MD07"}
    assert all(reasons.REASONS[code].action != "retry later" for code in void)


def test_only_what_may_pass_by_itself_is_tried_again() -> None:
    again = {code for code, one in reasons.REASONS.items() if one.action == "retry later"}
    assert again == {"AM04", "TM01"}


def test_an_unknown_reason_asks_for_a_person() -> None:
    unknown = reasons.explain("ZZ99")
    assert (unknown.action, unknown.voids_mandate) == ("stop and ask", False)
    assert "ZZ99" in unknown.fr
    assert reasons.explain("MD06").fr.startswith("Remboursement")
