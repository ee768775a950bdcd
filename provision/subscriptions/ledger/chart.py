"""The accounts in use, with their numbers in the French chart.

Plan comptable général (ANC 2014-03) and, for associations, ANC 2018-06: 195, 6895, 7895, 754,
756, 6571, 7541, 7542, 86 and 87. Accounts 80 hold what is no euro yet: promises, and the pieces of
a local currency. 4191 is what deposit invoices ask for, without VAT, until it is deducted or given
back. 4197 is what customers paid too much, until it is used or paid back; 5115, a part of 511
(valeurs à l'encaissement) beside 5112, what card providers have and did not pay out yet; 5301 is
cash in euros. An account is added here by the change that first posts to it.
"""

from __future__ import annotations

from types import MappingProxyType

from provision.errors import PaquetError

LEGAL_RESERVE = "1061"
RESERVES = "1068"
CARRIED_FORWARD = "110"
CARRIED_LOSS = "119"
PROFIT = "120"
LOSS = "129"
DEDICATED_FUNDS = "195"
SUPPLIERS = "401"
SUPPLIER_INVOICES_TO_COME = "408"
CUSTOMERS = "411"
CUSTOMER_DEPOSITS = "4191"
CUSTOMER_CREDIT = "4197"
CUSTOMER_INVOICES_TO_ISSUE = "418"
VAT_DEDUCTIBLE = "44566"
VAT_COLLECTED = "44571"
DIVIDENDS = "457"
FUNDS_HELD = "467"
UNEXPLAINED = "471"
PREPAID_EXPENSE = "486"
DEFERRED_REVENUE = "487"
BEING_COLLECTED = "511"
CHEQUES = "5112"
CARD_PAYMENTS = "5115"
BANK = "512"
CASH = "5301"
LOCAL_CASH = "5302"
TRANSFERS = "580"
PURCHASED_SERVICES = "604"
GIFTS_MADE = "6238"
BANK_FEES = "627"
BAD_DEBTS = "654"
HELP_GIVEN = "6571"
TO_FUNDS = "658"
TO_DEDICATED_FUNDS = "6895"
SERVICES_SOLD = "706"
GIFTS_OF_PERSONS = "7541"
GIFTS_RECEIVED = "7542"
DUES = "756"
OTHER_INCOME = "758"
FROM_DEDICATED_FUNDS = "7895"
PROMISED = "801"
COUNTERPART = "809"
TIME_GIVEN = "864"
VOLUNTARY_WORK = "875"

RESULT_CLASSES = ("6", "7")
OWN_ACCOUNTS = (RESERVES, CARRIED_FORWARD, CARRIED_LOSS)  # what a result makes up for
MEMO_CLASS = "8"

LABELS = MappingProxyType(
    {
        LEGAL_RESERVE: ("Réserve légale", "Legal reserve"),
        RESERVES: ("Autres réserves", "Other reserves"),
        CARRIED_FORWARD: ("Report à nouveau", "Carried forward"),
        CARRIED_LOSS: ("Report à nouveau (solde débiteur)", "Losses carried forward"),
        PROFIT: ("Résultat de l'exercice (bénéfice)", "Result of the year (profit)"),
        LOSS: ("Résultat de l'exercice (perte)", "Result of the year (loss)"),
        DEDICATED_FUNDS: ("Fonds dédiés", "Dedicated funds"),
        SUPPLIERS: ("Fournisseurs", "Suppliers"),
        SUPPLIER_INVOICES_TO_COME: (
            "Fournisseurs, factures non parvenues",
            "Suppliers, invoices not received yet",
        ),
        CUSTOMERS: ("Clients", "Customers"),
        CUSTOMER_DEPOSITS: (
            "Clients, avances et acomptes reçus sur commandes",
            "Customers, deposits for what is not sold yet",
        ),
        CUSTOMER_CREDIT: ("Clients, autres avoirs", "Customers, other credit"),
        CUSTOMER_INVOICES_TO_ISSUE: ("Clients, factures à établir", "Customers, to be invoiced"),
        VAT_DEDUCTIBLE: ("TVA déductible", "Deductible VAT"),
        VAT_COLLECTED: ("TVA collectée", "VAT collected"),
        DIVIDENDS: ("Associés, dividendes à payer", "Partners, dividends to pay"),
        FUNDS_HELD: ("Fonds détenus pour autrui", "Funds held for others"),
        UNEXPLAINED: ("Compte d'attente", "Waiting to be explained"),
        PREPAID_EXPENSE: ("Charges constatées d'avance", "Prepaid expense"),
        DEFERRED_REVENUE: ("Produits constatés d'avance", "Deferred revenue"),
        BEING_COLLECTED: ("Valeurs à l'encaissement", "Being collected"),
        CHEQUES: ("Chèques à encaisser", "Cheques to be banked"),
        CARD_PAYMENTS: (
            "Cartes et paiements en ligne à encaisser",
            "Card and online payments on their way",
        ),
        BANK: ("Banque", "Bank"),
        CASH: ("Caisse en euros", "Cash in euros"),
        TRANSFERS: ("Virements en cours", "Transfers under way"),
        LOCAL_CASH: ("Caisse en monnaie locale", "Cash in local currency"),
        PURCHASED_SERVICES: ("Achats de prestations de services", "Services bought"),
        GIFTS_MADE: ("Dons courants", "Gifts made"),
        BANK_FEES: ("Services bancaires", "Bank fees"),
        BAD_DEBTS: ("Pertes sur créances irrécouvrables", "Bad debts"),
        HELP_GIVEN: ("Aides financières octroyées", "Help given"),
        TO_FUNDS: ("Versements aux fonds", "Paid into funds"),
        TO_DEDICATED_FUNDS: ("Reports en fonds dédiés", "Put aside in dedicated funds"),
        SERVICES_SOLD: ("Prestations de services", "Services sold"),
        GIFTS_OF_PERSONS: ("Dons manuels", "Gifts of persons"),
        GIFTS_RECEIVED: ("Mécénats", "Gifts received"),
        DUES: ("Cotisations", "Membership dues"),
        OTHER_INCOME: ("Produits divers de gestion courante", "Other income"),
        FROM_DEDICATED_FUNDS: ("Utilisations de fonds dédiés", "Taken from dedicated funds"),
        PROMISED: ("Engagements donnés", "Promised"),
        COUNTERPART: ("Contrepartie des engagements", "Counterpart of what is promised"),
        TIME_GIVEN: ("Personnel bénévole", "Time given by volunteers"),
        VOLUNTARY_WORK: ("Bénévolat", "Voluntary work"),
    }
)
LANGUAGES = ("fr", "en")


def label(account: str, language: str) -> str:
    """Return what the account is called in French ("fr") or English ("en")."""
    if account not in LABELS:
        raise PaquetError(
            f"The account {account[:20]!r} is not in the chart", f"Known are {', '.join(LABELS)}."
        )
    return LABELS[account][LANGUAGES.index(language)]
