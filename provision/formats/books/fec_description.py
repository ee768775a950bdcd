"""The description that goes with a FEC, in French: what each field is, and how to read the file.

Source: article A47 A-1 of the livre des procédures fiscales, VII (the fields) and XI (what the
description says).
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from provision.formats.books.fec import FIELDS, JOURNAL_NAMES, STANDARD, file_name

if TYPE_CHECKING:
    from provision.formats.books.fec import Exercise, Form

MEANINGS = (
    ("Alphanumérique", "Code du journal"),
    ("Alphanumérique", "Libellé du journal"),
    ("Alphanumérique", "Numéro de l'écriture, en séquence continue dans ce fichier"),
    ("Date", "Date de comptabilisation (jour où l'écriture prend effet)"),
    ("Alphanumérique", "Numéro de compte du plan comptable général"),
    ("Alphanumérique", "Libellé du compte"),
    ("Alphanumérique", "Référence du tiers (vide sans tiers)"),
    ("Alphanumérique", "Libellé du tiers (vide sans tiers)"),
    ("Alphanumérique", "Référence de la pièce justificative"),
    ("Date", "Date de la pièce justificative"),
    ("Alphanumérique", "Libellé, suivi du numéro de l'écriture dans le journal d'origine"),
    ("Numérique", "Montant au débit, en euros"),
    ("Numérique", "Montant au crédit, en euros"),
    (
        "Alphanumérique",
        "Lettrage des documents soldés dans l'exercice (vide si la ligne n'est pas lettrée)",
    ),
    (
        "Date",
        "Date du lettrage : celle de la dernière des lignes (vide si la ligne n'est pas lettrée)",
    ),
    ("Date", "Date de validation : l'écriture ne change plus ensuite"),
    ("Numérique", "Montant dans la devise d'origine (vide si tout est en euros)"),
    ("Alphanumérique", "Devise d'origine (vide si tout est en euros)"),
)
SEPARATOR_NAMES = MappingProxyType({"\t": "tabulation (0x09)", "|": "barre verticale (0x7C)"})
LINE_END_NAMES = MappingProxyType(
    {"\r\n": "retour chariot et fin de ligne (0x0D 0x0A)", "\n": "fin de ligne (0x0A)"}
)


def describe(exercise: Exercise, form: Form = STANDARD) -> str:
    """Return the text that must accompany the file of this exercise, written in this form."""
    fields = [
        f"{place:2}. {name} ({kind}) : {meaning}"
        for place, (name, (kind, meaning)) in enumerate(zip(FIELDS, MEANINGS, strict=True), 1)
    ]
    journals = [f"{code} : {name}" for code, name in JOURNAL_NAMES.items()]
    parts = (
        (f"Description du fichier {file_name(exercise)}", _scope(exercise)),
        ("Zones, dans l'ordre", fields),
        ("Codes des journaux", journals),
        ("Tiers", PARTIES),
        ("Informations techniques", _technique(form)),
    )
    return "\n".join(_part(title, lines) for title, lines in parts)


PARTIES = [
    "organisation-N : une association ou une entreprise",
    "person-X : une personne, par une référence qui ne la nomme pas",
    "fund-N : un fonds",
]


def _scope(exercise: Exercise) -> list[str]:
    first_day, last_day = f"{exercise.first_day:%d/%m/%Y}", f"{exercise.last_day:%d/%m/%Y}"
    return [
        f"Écritures de l'exercice du {first_day} au {last_day}.",
        "Format : article A47 A-1 du livre des procédures fiscales.",
        "Ordre : reprise des soldes antérieurs, puis ordre chronologique de validation.",
        "Écritures de solde des comptes de charges et de produits : absentes du fichier.",
        "Lignes tenues en heures ou en monnaie locale : absentes du fichier, qui est en euros.",
    ]


def _technique(form: Form) -> list[str]:
    return [
        "Fichier à plat, une seule structure, enregistrements de longueur variable.",
        "Jeu de caractères : UTF-8, sans marque d'ordre des octets.",
        f"Séparateur de zones : {SEPARATOR_NAMES[form.separator]}.",
        f"Séparateur d'enregistrements : {LINE_END_NAMES[form.line_end]}.",
        "Première ligne : le nom des zones.",
        "Dates : AAAAMMJJ.",
        "Montants : virgule décimale, sans séparateur de milliers ; 0,00 du côté sans montant.",
    ]


def _part(title: str, lines: list[str]) -> str:
    return "\n".join([title, "", *(f"  {line}" for line in lines), ""])
