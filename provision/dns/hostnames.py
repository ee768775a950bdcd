"""Domain and host names as DNS wants them: absolute, lower case, IDNA A-labels."""

from __future__ import annotations

import ipaddress

import idna

from provision.errors import PaquetError

LONGEST = 253


def absolute(name: str) -> str:
    """Given a domain or host name as a person writes it, return it as `xn--….example.`.

    Umlauts become A-labels (RFC 5891, mapped by UTS 46). A first label that is `*`, and labels
    that start with `_` (RFC 8552), are kept. Raises PaquetError when it is no DNS name.
    """
    labels = name.strip().rstrip(".").split(".")
    whole = ".".join(_label(label, name) for label in labels)
    if len(whole) > LONGEST:
        raise _refused(name, f"it is longer than {LONGEST} characters")
    return whole + "."


def relative(name: str, zone: str) -> str:
    """Return `name` as it is typed in a form for `zone`: `@` for the zone itself."""
    name, zone = absolute(name), absolute(zone)
    if name == zone:
        return "@"
    if not is_within(name, zone):
        raise PaquetError(f"{name} is not a name in the zone {zone}", "Choose the other zone.")
    return name.removesuffix("." + zone)


def is_within(name: str, zone: str) -> bool:
    """Whether the absolute `name` is the absolute `zone` or lies below it."""
    return name == zone or name.endswith("." + zone)


def address_type(address: str) -> str:
    """Return `A` or `AAAA` for an IP address. Raises PaquetError when it is none."""
    try:
        return "A" if ipaddress.ip_address(address).version == 4 else "AAAA"  # noqa: PLR2004
    except ValueError:
        raise PaquetError(
            f"{address!r} is not an IP address", "Write it as 203.0.113.10 or 2001:db8::10."
        ) from None


def _label(label: str, name: str) -> str:
    if label == "*":
        return label
    service, plain = ("_", label[1:]) if label.startswith("_") else ("", label)
    try:
        return service + idna.encode(plain, uts46=True).decode("ascii").lower()
    except idna.IDNAError as wrong:
        raise _refused(name, str(wrong)) from None


def _refused(name: str, reason: str) -> PaquetError:
    return PaquetError(
        f"{name[:80]!r} is not a DNS name: {reason}",
        "Use letters, digits and hyphens, with dots between: alice.example.org",
    )
