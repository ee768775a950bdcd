"""One device of one user: what it must know to sync, and the one secret that opens it."""

from __future__ import annotations

import hashlib
import math
import re
import secrets
import unicodedata
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from pydantic import SecretStr

from provision.errors import PaquetError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from provision.languages import Language

# People type the secret on a phone: no capitals to shift for, and none of 0/o, 1/l, i that
# look alike on paper.
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
LENGTH = 28
ENTROPY_BITS = LENGTH * math.log2(len(ALPHABET))
GROUP = 4

SHORTEST_SECRET = 24
LONGEST_NAME = 120

# A ':' in the user name would cut it in DAVx5 (phones.md 1a, trap 1); Thunderbird for Android
# takes ASCII addresses only (1d). The registry keeps domains in their ASCII form.
LOCAL_PART = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
HOST = rf"{LABEL}(?:\.{LABEL})+"
ADDRESS = re.compile(rf"{LOCAL_PART}@{HOST}")
HOST_NAME = re.compile(HOST)
SECRET = re.compile(rf"[A-Za-z0-9]{{{SHORTEST_SECRET},128}}")
PATH = re.compile(r"/(?:[A-Za-z0-9._~-]+/)*")
# A URL that ends in a path of plain or percent-encoded characters: nothing to escape anywhere.
FILES = re.compile(rf"https://{HOST}(?::[0-9]{{1,5}})?/[A-Za-z0-9._~%@/+-]*")
# Control, surrogate, line and paragraph characters: XML and property lists cannot carry them.
UNWRITABLE = frozenset({"Cc", "Cs", "Zl", "Zp"})
NONCHARACTERS = 0xFFFE


class Chooser(Protocol):
    """What `make_secret` needs of `secrets` (or of a seeded `random.Random` in a test)."""

    def choice(self, alphabet: Sequence[str], /) -> str:
        """Return one element, each as likely as the others."""
        ...


@dataclass(frozen=True)
class Support:
    """Whom the owner of a device turns to: a name, a telephone number or '', an e-mail address.

    `sold_by` and `supported_by` are names, or '': who sells alone has no supporter.
    """

    name: str
    telephone: str
    email: str
    sold_by: str = ""
    supported_by: str = ""

    @property
    def contact(self) -> str:
        """How they are reached, on one line."""
        return " · ".join(filter(None, (self.telephone, self.email)))


@dataclass(frozen=True)
class Sync:
    """All that one device needs to sync mail, calendars, contacts and files.

    Hosts and the address are ASCII (IDN in its `xn--` form); `dav_path` begins and ends with
    `/`; `files_url` is the WebDAV address of the user's files. Raises PaquetError when a value
    could not be written unchanged into every format of the kit.
    """

    address: str
    display_name: str
    device_name: str
    kind: Literal["android", "ios", "desktop"]
    secret: SecretStr
    cloud: Literal["nextcloud", "light"]
    cloud_host: str
    dav_path: str
    files_url: str
    mail_host: str
    language: Language
    operator_name: str
    support: Support
    issued: date

    def __post_init__(self) -> None:
        _match(ADDRESS, self.address, "The address")
        _match(HOST_NAME, self.cloud_host, "The cloud's host")
        _match(HOST_NAME, self.mail_host, "The mail host")
        _match(PATH, self.dav_path, "The DAV path")
        _match(FILES, self.files_url, "The address of the files")
        if not SECRET.fullmatch(self.secret.get_secret_value()):
            raise PaquetError(
                f"A device secret has at least {SHORTEST_SECRET} letters and digits, nothing else",
                "Let make_secret make it: other characters are cut or changed by some clients.",
            )
        for label in ("display_name", "device_name", "operator_name"):
            _refuse_unwritable(label.replace("_", " "), getattr(self, label))
        for label, text in asdict(self.support).items():
            _refuse_unwritable(f"support's {label}", text)

    @property
    def domain(self) -> str:
        """The domain of the address."""
        return self.address.rpartition("@")[2]

    @property
    def dav_url(self) -> str:
        """Where CalDAV and CardDAV clients begin to look."""
        return f"https://{self.cloud_host}{self.dav_path}"


def make_secret(random: Chooser = secrets) -> SecretStr:
    """Return a new device secret: 28 letters and digits, 138 bits of chance.

    That much chance is why the server may keep it as a plain SHA-256.
    """
    return SecretStr("".join(random.choice(ALPHABET) for _ in range(LENGTH)))


def secret_digest(secret: SecretStr) -> str:
    """Return the SHA-256 of the secret in hexadecimal, as the mail server compares it."""
    return hashlib.sha256(secret.get_secret_value().encode()).hexdigest()


def secret_groups(secret: SecretStr) -> list[str]:
    """Return the secret in groups of four, to be read from paper (and typed without spaces)."""
    plain = secret.get_secret_value()
    return [plain[at : at + GROUP] for at in range(0, len(plain), GROUP)]


def _match(pattern: re.Pattern[str], value: str, what: str) -> None:
    if not pattern.fullmatch(value):
        raise PaquetError(
            f"{what} cannot be put on a phone as it is: {value!r}",
            "Use ASCII letters, digits and dots; write an international domain as xn--….",
        )


def _refuse_unwritable(what: str, text: str) -> None:
    if len(text) > LONGEST_NAME:
        raise PaquetError(
            f"The {what} is longer than {LONGEST_NAME} characters",
            "A code that carries it could not be read by a phone: shorten it.",
        )
    if any(_is_unwritable(character) for character in text):
        raise PaquetError(
            f"The {what} contains a line break or another invisible control character",
            "Write it on one line, with visible characters only.",
        )


def _is_unwritable(character: str) -> bool:
    unused = ord(character) & NONCHARACTERS == NONCHARACTERS
    return unused or unicodedata.category(character) in UNWRITABLE
