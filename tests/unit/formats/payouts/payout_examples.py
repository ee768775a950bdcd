"""Files of providers as they write them, with as many lines as a test needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

STRIPE = (
    "automatic_payout_id,automatic_payout_effective_at,source_id,created,available_on,currency,"
    "gross,fee,net,reporting_category,description,charge_id,customer_name,payment_metadata[invoice]"
)
HELLOASSO = (
    "Référence paiement;Référence commande;Campagne;Commentaire;Date du paiement;"
    "Statut du paiement;Date du versement;Prénom payeur;Nom payeur;Montant total"
)
SUMUP = "id,type,amount,date,currency,fee,status,reference,transaction_code"


def stripe(*lines: tuple[str, str, str, str, str], payout: str = "po_101") -> bytes:
    """Return a report of one payout: (id, category, gross, fee, what) on each line."""
    rows = []
    for at, (name, category, gross, fee, what) in enumerate(lines):
        net = f"{float(gross) - float(fee):.2f}"
        rows.append(
            f"{payout},2026-02-05 00:00:00,{name},2026-02-0{at % 3 + 1} 10:00:00,"
            f"2026-02-05 00:00:00,eur,{gross},{fee},{net},{category},{what},"
            f"{what if what.startswith('ch_') else name},Jeanne Martin,{what}"
        )
    return table(STRIPE, rows)


def helloasso(*lines: tuple[str, str, str, str], day: str = "10/03/2026") -> bytes:
    """Return an export: (payment, status, amount, comment) on each line, paid out on one day."""
    rows = [
        f"{name};C{name};Adhésions;{what};02/03/2026 18:01;{status};{day};Jeanne;Martin;{amount}"
        for name, status, amount, what in lines
    ]
    return table(HELLOASSO, rows)


def sumup(*lines: tuple[str, str, str, str], payout: str = "P-1") -> bytes:
    """Return a list of payouts: (transaction, type, amount, fee) on each line."""
    rows = [
        f"{at},{kind},{amount},2026-02-05,EUR,{fee},SUCCESSFUL,{payout},{name}"
        for at, (name, kind, amount, fee) in enumerate(lines, 1)
    ]
    return table(SUMUP, rows)


def table(header: str, rows: Iterable[str]) -> bytes:
    """Return a CSV in UTF-8."""
    return "\r\n".join([header, *rows, ""]).encode()
