"""Why a direct debit came back: the codes, what they mean, and what to do next.

Source of the codes: ISO 20022 external code set ExternalReturnReason1Code, in the reading of the
European Payments Council for SEPA direct debits (EPC173-14). The set changes every quarter, so it
is dated: these are the codes of November 2026, and another one asks for a person.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, TypeAlias

Action: TypeAlias = Literal["retry later", "ask for a new mandate", "stop and ask", "ask the bank"]
RETRY: Action = "retry later"
NEW_MANDATE: Action = "ask for a new mandate"
STOP: Action = "stop and ask"
BANK: Action = "ask the bank"


@dataclass(frozen=True)
class Reason:
    """One code: its meaning in French and English, and what a careful person does.

    `voids_mandate`: nothing more may be collected under the mandate as it stands.
    """

    code: str
    fr: str
    en: str
    action: Action
    voids_mandate: bool = False


REASONS = MappingProxyType(
    {
        reason.code: reason
        for reason in (
            Reason(
                "AC01",
                "Coordonnées bancaires inexactes",
                "Account number wrong",
                NEW_MANDATE,
                voids_mandate=True,
            ),
            Reason("AC04", "Compte clos", "Account closed", NEW_MANDATE, voids_mandate=True),
            Reason(
                "AC06",
                "Compte bloqué, ou bloqué pour les prélèvements",
                "Account blocked, perhaps for direct debits only",
                STOP,
            ),
            Reason(
                "AC13",
                "Compte d’un particulier, qui n’admet pas de prélèvement interentreprises",
                "Account of a consumer, which takes no business-to-business debit",
                NEW_MANDATE,
                voids_mandate=True,
            ),
            Reason(
                "AG01",
                "Prélèvement interdit sur ce type de compte",
                "Direct debits are forbidden on this kind of account",
                NEW_MANDATE,
                voids_mandate=True,
            ),
            Reason("AG02", "Code d’opération erroné", "Wrong code of the operation", BANK),
            Reason("AM04", "Provision insuffisante", "Insufficient funds", RETRY),
            Reason("AM05", "Prélèvement présenté deux fois", "Debit presented twice", STOP),
            Reason("BE05", "Identifiant du créancier inconnu", "Creditor identifier unknown", BANK),
            Reason(
                "CNOR",
                "Banque du créancier non joignable sous ce BIC",
                "Creditor’s bank is not registered under this BIC",
                BANK,
            ),
            Reason(
                "DNOR",
                "Banque du débiteur non joignable sous ce BIC",
                "Debtor’s bank is not registered under this BIC",
                BANK,
            ),
            Reason("FF01", "Format du fichier incorrect", "Format of the file is wrong", BANK),
            Reason(
                "FOCR",
                "Retour à la suite d’une demande d’annulation",
                "Returned after a request for cancellation",
                STOP,
            ),
            Reason(
                "MD01",
                "Pas de mandat valide, ou prélèvement contesté comme non autorisé",
                "No valid mandate, or contested as unauthorised",
                NEW_MANDATE,
                voids_mandate=True,
            ),
            Reason(
                "MD02",
                "Données du mandat manquantes ou inexactes",
                "Data of the mandate missing or wrong",
                STOP,
            ),
            Reason(
                "MD06",
                "Remboursement demandé par le débiteur (dans les 8 semaines)",
                "Refund asked for by the debtor (within 8 weeks)",
                STOP,
            ),
            Reason("MD07", "Débiteur décédé", "Debtor deceased", STOP, voids_mandate=True),
            Reason(
                "MS02",
                "Refus du débiteur, sans motif",
                "Refused by the debtor, no reason given",
                STOP,
            ),
            Reason(
                "MS03", "Motif non communiqué par la banque", "No reason given by the bank", STOP
            ),
            Reason("RC01", "BIC inexact", "Bank identifier wrong", STOP),
            Reason(
                "RR01",
                "Raison réglementaire : compte ou identité du débiteur manquant",
                "Regulation: account or identity of the debtor missing",
                BANK,
            ),
            Reason(
                "RR02",
                "Raison réglementaire : nom ou adresse du débiteur manquant",
                "Regulation: name or address of the debtor missing",
                STOP,
            ),
            Reason(
                "RR03",
                "Raison réglementaire : nom ou adresse du créancier manquant",
                "Regulation: name or address of the creditor missing",
                BANK,
            ),
            Reason("RR04", "Raison réglementaire", "Regulation", BANK),
            Reason(
                "SL01",
                "Service particulier de la banque du débiteur (liste ou plafond choisi par lui)",
                "A service of the debtor’s bank (a list or a limit of the debtor’s choice)",
                STOP,
            ),
            Reason(
                "TM01", "Présenté après l’heure limite", "Presented after the cut-off time", RETRY
            ),
        )
    }
)


def explain(code: str) -> Reason:
    """Return what the code means; one that is not known asks for a person, and voids nothing."""
    unknown = Reason(code, f"Motif {code} inconnu", f"Unknown reason {code}", STOP)
    return REASONS.get(code, unknown)
