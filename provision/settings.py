"""The settings of one control machine: a commented TOML file, checked before anything starts."""

from __future__ import annotations

import os
import re
import tomllib
from datetime import date
from pathlib import Path
from typing import Any, Literal

import idna
from pydantic import (
    AnyHttpUrl,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from provision import edges
from provision.errors import PaquetError
from provision.languages import Language
from provision.telephones import telephone

TOP_PATHS = {"inventory": "inventory.yml", "key_file": "paquet.key", "state": "var"}
LETSENCRYPT = "https://acme-v02.api.letsencrypt.org/directory"


class Section(BaseModel):
    """A table of the file; a word that it does not know is refused by name."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Operator(Section):
    """Who runs this: the name that people see, and the zone that bundles live under.

    `telephone` may be empty: the sheets of phones then say where to write.
    """

    name: str = Field(min_length=1, max_length=80)
    zone: str
    language: Language = "fr"
    contact: str = Field(max_length=254)
    telephone: str = ""

    @field_validator("contact")
    @classmethod
    def _is_an_address(cls, contact: str) -> str:
        if not re.fullmatch(r"[^@\s]+@[^@\s]+", contact):
            raise ValueError(f"{contact!r} is not an e-mail address, such as aide@exemple.fr")
        return contact

    @field_validator("telephone")
    @classmethod
    def _can_be_dialled(cls, number: str) -> str:
        try:
            return telephone(number) if number.strip() else ""
        except PaquetError as refused:
            raise ValueError(f"{refused.message}. {refused.hint}") from None

    @field_validator("zone")
    @classmethod
    def _is_a_domain(cls, zone: str) -> str:
        try:
            return idna.encode(zone.strip().rstrip("."), uts46=True).decode().lower()
        except idna.IDNAError as wrong:
            raise ValueError(f"{zone!r} is not a domain name ({wrong})") from None


class Registry(Section):
    """Where people, orders and money are kept, as an SQLAlchemy URL."""

    url: str = "sqlite:///paquet.db"


class Acme(Section):
    """The authority that issues certificates (RFC 8555)."""

    directory: AnyHttpUrl = AnyHttpUrl(LETSENCRYPT)
    ca_file: Path | None = None


class Names(Section):
    """How DNS records are published: printed for a person, or sent to a Knot server (RFC 2136)."""

    provider: Literal["print", "knot"] = "print"
    server: str = ""
    port: int = Field(default=53, ge=1, le=65535)
    key_name: str = ""
    key_algorithm: str = "hmac-sha256"
    key_file: Path | None = None
    acme_key_name: str = ""
    acme_key_file: Path | None = None


class Checks(Section):
    """How checks from outside look.

    `resolver` is asked for names (empty: this machine's own way); `mail_server` is where a new
    machine knocks, to see whether its port 25 is blocked.
    """

    mail_server: str = Field(default="mx1.free.fr", pattern=r"^[a-z0-9.-]{1,253}$")
    resolver: str = ""
    port: int = Field(default=53, ge=1, le=65535)


class Packages(Section):
    """Where servers and lab machines fetch Debian packages."""

    mirror: AnyHttpUrl = AnyHttpUrl("http://deb.debian.org/debian")
    security_mirror: AnyHttpUrl = AnyHttpUrl("http://deb.debian.org/debian-security")


class Bundles(Section):
    """How bundles end: for how many days after its closing an owner may still take everything.

    Regulation (EU) 2023/2854, article 25(2)(g), wants 30 at least.
    """

    export_days: int = Field(default=30, ge=30, le=730)


class Runs(Section):
    """Who carries long actions out: the command that asks for them, or workers beside it."""

    carried_out_by: Literal["command", "workers"] = "command"


class Times(Section):
    """When what comes by itself is asked for, as crontab(5) writes it; empty for never."""

    bill: str = "40 4 * * *"
    check: str = "10 2 * * *"
    rooms: str = "20 4 * * *"
    renewals: str = "30 5 * * *"
    post: str = "*/10 * * * *"
    operator: str = "30 6 * * *"
    reminders: str = ""
    settle: str = ""


class Post(Section):
    """How letters leave by e-mail: from `address`, in the name `name`, at most so many a minute.

    Without an address nothing leaves, and without `since` nothing is written: no letter about what
    was before that day is ever sent. An empty `host` is the server of the bundle of the address;
    port 465 begins with TLS, any other by STARTTLS.
    """

    address: str = ""
    host: str = Field(default="", pattern=r"^[a-z0-9.-]{0,253}$")
    port: int = Field(default=465, ge=1, le=65535)
    since: date | None = None
    name: str = Field(default="", max_length=80)
    per_minute: int = Field(default=30, ge=1, le=600)

    @field_validator("address")
    @classmethod
    def _is_an_address(cls, address: str) -> str:
        try:
            return edges.email(address) if address.strip() else ""
        except PaquetError as refused:
            raise ValueError(f"{refused.message}. {refused.hint}") from None

    @model_validator(mode="after")
    def _begins_some_day(self) -> Post:
        if self.address and self.since is None:
            raise ValueError("it needs `since`: the day from which on letters are sent")
        return self


class Dunning(Section):
    """The steps by which those are reminded who have not paid; else those of the example."""

    policy: Path | None = None


class LabSettings(Section):
    """The rehearsal machines on this computer."""

    name: str = Field(default="lab", pattern=r"^[a-z][a-z0-9]{0,8}$")
    mirror: AnyHttpUrl = AnyHttpUrl("http://deb.debian.org/debian")


class Nextcloud(Section):
    """Which Nextcloud is offered, and the keyring that its archives are verified with."""

    version: str = Field(default="", pattern=r"^(\d+\.\d+\.\d+)?$")
    keyring: Path | None = None


def _default_cache() -> Path:
    if os.geteuid() == 0:
        return Path("/var/cache/paquet")
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "paquet"


class Settings(BaseSettings):
    """All settings; `PAQUET_STATE` or `PAQUET_LAB__NAME` in the environment fill the gaps."""

    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, env_prefix="PAQUET_", env_nested_delimiter="__"
    )

    operator: Operator
    registry: Registry = Registry()
    acme: Acme = Acme()
    names: Names = Names()
    checks: Checks = Checks()
    packages: Packages = Packages()
    nextcloud: Nextcloud = Nextcloud()
    bundles: Bundles = Bundles()
    dunning: Dunning = Dunning()
    runs: Runs = Runs()
    schedule: Times = Times()
    post: Post = Post()
    lab: LabSettings = LabSettings()
    inventory: Path
    key_file: Path
    state: Path
    cache: Path = Field(default_factory=_default_cache)


def load(path: Path) -> Settings:
    """Read the settings at `path`. Raises PaquetError when absent, unreadable or wrong."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise PaquetError(f"There are no settings at {path}", "Run `paquet init` first.") from None
    except (OSError, UnicodeDecodeError) as wrong:
        raise PaquetError(f"{path} cannot be read: {wrong}") from None
    return parse(read_words(text, path), path)


def read_words(text: str, path: Path) -> dict[str, object]:
    """Given the text of the file at `path`, return its tables, not yet checked."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as wrong:
        raise PaquetError(f"{path} is not TOML: {wrong}", "Mend that line of the file.") from None


def parse(words: dict[str, object], path: Path) -> Settings:
    """Given the tables of the file at `path`, return the settings; each mistake is named."""
    try:
        return Settings(**_anchored(words, path.resolve().parent))
    except ValidationError as wrong:
        mistakes = "; ".join(
            f"{'.'.join(str(part) for part in mistake['loc'])}: {_plain(mistake['msg'])}"
            for mistake in wrong.errors()
        )
        raise PaquetError(
            f"{path} has a mistake: {mistakes}",
            "The file that `paquet init` writes names every setting.",
        ) from None


def mistake(section: type[Section], key: str, typed: str) -> str:
    """Return what is wrong with one word of a table, '' when nothing is."""
    try:
        section.model_validate({key: typed})
    except ValidationError as wrong:
        messages = (error["msg"] for error in wrong.errors() if error["loc"] == (key,))
        return _plain(next(messages, ""))
    return ""


def _anchored(words: dict[str, object], folder: Path) -> dict[str, Any]:
    """Return the tables with their paths and an SQLite file counted from `folder`."""
    anchored: dict[str, Any] = {**TOP_PATHS, **words}
    for key in (*TOP_PATHS, "cache"):
        if isinstance(anchored.get(key), str):
            anchored[key] = str(folder / Path(anchored[key]).expanduser())
    for section, keys in (
        ("names", ("key_file", "acme_key_file")),
        ("acme", ("ca_file",)),
        ("nextcloud", ("keyring",)),
        ("dunning", ("policy",)),
    ):
        table = anchored.get(section)
        if isinstance(table, dict):
            given = {key: table[key] for key in keys if isinstance(table.get(key), str)}
            moved = {key: str(folder / path) for key, path in given.items()}
            anchored[section] = {**table, **moved}
    registry = anchored.get("registry")
    url = registry.get("url", Registry().url) if isinstance(registry, dict) else Registry().url
    if isinstance(url, str) and url.startswith("sqlite:///"):
        file = folder / url.removeprefix("sqlite:///")
        table = registry if isinstance(registry, dict) else {}
        anchored["registry"] = {**table, "url": f"sqlite:///{file}"}
    return anchored


def _plain(message: str) -> str:
    if message == "Extra inputs are not permitted":
        return "this setting is not known"
    return message.removeprefix("Value error, ")
