"""What people type, checked at the edge: after this a name is text, and nothing else.

Each function returns the clean value or raises UsageRefused with one sentence and a hint.
Domains follow IDNA 2008 with UTS 46 mapping (RFC 5891); logins are a strict subset of RFC 5321.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata

import idna

from provision.errors import UsageRefused

LONGEST_NAME, LONGEST_SHOWN = 64, 40
# Control, format (bidi and zero-width), line breaks, and characters that nobody can read.
UNREADABLE = {"Cc", "Cf", "Zl", "Zp", "Cs", "Co", "Cn"}
LOGIN = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?")
LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
CODE = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
CLOUD_LOGIN = "cloud"  # what a cloud itself writes to its users from
RESERVED_LOGINS = frozenset(
    {"postmaster", "abuse", "hostmaster", "root", "paquet-admin", CLOUD_LOGIN}
)
RESERVED_LABELS = frozenset({"www", "mail", "mx", "ns", "smtp", "imap", "autoconfig", "mta-sts"})


def person_name(typed: str, what: str = "name") -> str:
    """Return the name of a person, organisation or device: NFC, one line, 1 to 64 characters."""
    name = unicodedata.normalize("NFC", typed).strip(" ")
    if not name:
        raise UsageRefused(f"The {what} is empty")
    if any(unicodedata.category(letter) in UNREADABLE for letter in name):
        raise UsageRefused(
            f"The {what} {_shown(name)} holds a character that cannot be seen",
            "Type it again by hand, on one line.",
        )
    if len(name) > LONGEST_NAME:
        raise UsageRefused(f"The {what} {_shown(name)} is longer than {LONGEST_NAME} characters")
    return name


def domain(typed: str) -> str:
    """Return the domain as lower-case A-labels, without a final dot."""
    refused = f"{_shown(typed)} is not a domain name"
    try:
        name = idna.encode(typed.strip().removesuffix("."), uts46=True, std3_rules=True).decode()
    except (idna.IDNAError, UnicodeError):
        raise UsageRefused(refused, "It looks like exemple.fr or jeanne.exemple.fr.") from None
    labels = name.lower().split(".")
    if len(labels) < 2 or not all(LABEL.fullmatch(label) for label in labels):  # noqa: PLR2004
        raise UsageRefused(refused, "It looks like exemple.fr or jeanne.exemple.fr.")
    if _is_number(name) or labels[-1].isdigit():
        raise UsageRefused(refused, "A bundle needs a name, not an address.")
    return ".".join(labels)


def bundle_domain(typed: str, zone: str, taken: frozenset[str] = frozenset()) -> str:
    """Return the domain of a new bundle: one label under the operator's `zone`, or anybody's own.

    `taken` holds names that servers already have.
    """
    name = domain(typed)
    if name == zone or name in taken:
        raise UsageRefused(f"{name} belongs to the operator", "Choose another name.")
    if not name.endswith(f".{zone}"):
        return name
    label = name.removesuffix(f".{zone}")
    if "." in label:
        raise UsageRefused(
            f"{name} is more than one step below {zone}",
            "The operator's certificate covers one step: take away the inner dot.",
        )
    if label in RESERVED_LABELS:
        raise UsageRefused(f"{name} is kept for the operator", "Choose another name.")
    return name


def login(typed: str) -> str:
    """Return the part of a new address before the @."""
    name = unicodedata.normalize("NFC", typed).strip().lower()
    if not LOGIN.fullmatch(name) or ".." in name:
        raise UsageRefused(
            f"{_shown(typed)} cannot be the first part of an address",
            "Use letters a-z, digits, dots, - or _ ; for example jeanne.martin.",
        )
    if name in RESERVED_LOGINS:
        raise UsageRefused(f"{name}@ is kept for the operator", "Choose another one.")
    return name


def email(typed: str) -> str:
    """Return an e-mail address with its domain as A-labels in lower case."""
    local, at, host = typed.strip().rpartition("@")
    if not at or not re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9._+-]{0,62}[A-Za-z0-9])?", local):
        raise UsageRefused(
            f"{_shown(typed)} is not an e-mail address", "It looks like jeanne@exemple.fr."
        )
    return f"{local.lower()}@{domain(host)}"


def code(typed: str, what: str) -> str:
    """Return a short code such as a plan's: letters a-z, digits and inner hyphens."""
    if not CODE.fullmatch(typed):
        raise UsageRefused(f"{_shown(typed)} is not a {what}", "Use letters a-z, digits and -.")
    return typed


def _is_number(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _shown(typed: str) -> str:
    """Quote what was typed so that a terminal or a log cannot be fooled by it."""
    cut = typed if len(typed) <= LONGEST_SHOWN else typed[:LONGEST_SHOWN] + "…"
    return ascii(cut) if any(unicodedata.category(c) in UNREADABLE for c in cut) else f"“{cut}”"
