"""The accounts in use, with their numbers in the French chart (plan comptable général, ANC).

Only what the first entries need; an account is added here by the change that first posts to it.
"""

from __future__ import annotations

from types import MappingProxyType

from provision.errors import PaquetError

SUPPLIER_INVOICES_TO_COME = "408"
CUSTOMER_INVOICES_TO_ISSUE = "418"
PREPAID_EXPENSE = "486"
DEFERRED_REVENUE = "487"

LABELS = MappingProxyType(
    {
        SUPPLIER_INVOICES_TO_COME: {
            "fr": "Fournisseurs, factures non parvenues",
            "en": "Suppliers, invoices not received yet",
        },
        CUSTOMER_INVOICES_TO_ISSUE: {
            "fr": "Clients, factures à établir",
            "en": "Customers, invoices to be issued",
        },
        PREPAID_EXPENSE: {"fr": "Charges constatées d'avance", "en": "Prepaid expense"},
        DEFERRED_REVENUE: {"fr": "Produits constatés d'avance", "en": "Deferred revenue"},
    }
)


def label(account: str, language: str) -> str:
    """Return what the account is called in French ("fr") or English ("en")."""
    if account not in LABELS:
        raise PaquetError(
            f"The account {account[:20]!r} is not in the chart", f"Known are {', '.join(LABELS)}."
        )
    return LABELS[account][language]
