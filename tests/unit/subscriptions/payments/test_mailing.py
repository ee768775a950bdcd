from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from provision.errors import PaquetError
from provision.subscriptions.payments import mailing
from provision.subscriptions.payments.mailing import Addressee, Mailed, Outbox

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("sender", ["Boutique Libre", "+Bio", "@nuage"])
def test_a_folder_stays_that_of_its_sender_however_a_spreadsheet_reads_the_name(
    tmp_path: Path, sender: str
) -> None:
    outbox = Outbox(tmp_path, "fr", sender)
    jeanne = Addressee("Jeanne", "jeanne@exemple.test", None)
    mailing.add(outbox, [Mailed(date(2026, 3, 1), "notice", jeanne, "Facture", 1000, ("F",), "a")])
    mailing.check(outbox)
    with pytest.raises(PaquetError, match="holds letters of"):
        mailing.check(Outbox(tmp_path, "fr", "=Bio"))
