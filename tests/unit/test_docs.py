"""What the pages promise: each option of a command, each name, is there."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest
from markdown_it import MarkdownIt

from provision.checks.web import autoconfig_address
from provision.dns.records import bundle_records
from tests.unit.checks.loopback import a_target
from tests.unit.dns.test_dns_changes import IN_OUR_ZONE, OWN
from tests.unit.test_architecture import every_command

TOP = Path(__file__).parents[2]
PAGES = [*sorted((TOP / "docs").glob("*.md")), TOP / "README.md", TOP / "README.fr.md"]
KNOWN = every_command()
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z0-9-]*")
ALWAYS = {"--help", "--config", "--version"}
SERVED = re.compile(r"`(https://\S+config-v1\.1\.xml)`")


def commands(page: Path) -> list[str]:
    """Return the calls of `paquet` in code and in sentences, without their comments."""
    tokens = MarkdownIt().enable("table").parse(page.read_text("utf-8"))
    code = [token.content for token in tokens if token.type in ("fence", "code_block")]
    inline = [child for token in tokens for child in token.children or []]
    lines = re.sub(r"\\\n\s*", "", "\n".join(code)).splitlines()
    lines += [child.content for child in inline if child.type == "code_inline"]
    calls = [call for line in lines for call in re.split(r"&&|;", line.split(" #")[0])]
    return [call.strip() for call in calls if re.match(r"\s*paquet ", call)]


def options_of(call: str) -> set[str]:
    """Return the options of the command that `call` names."""
    name, words = "paquet", call.split()[1:]
    while words and isinstance(KNOWN[name], click.Group):
        verb = words.pop(0).split("|")[0]  # one of several that are named together
        if f"{name} {verb}" not in KNOWN:
            break
        name = f"{name} {verb}"
    params = KNOWN[name].params
    return ALWAYS | {option for one in params for option in (*one.opts, *one.secondary_opts)}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_option_in_the_docs_exists(page: Path) -> None:
    unknown = [
        f"{call}: {option}"
        for call in commands(page)
        for option in OPTION.findall(call)
        if option not in options_of(call)
    ]
    assert unknown == []


def test_the_page_on_phones_promises_names_that_exist() -> None:
    """A domain in the operator's zone has no name below it: its certificate is the zone's."""
    served = set()
    for names in (OWN, IN_OUR_ZONE):
        target = a_target(domain=names.domain, host=names.host)
        asked = autoconfig_address(target)
        known = {one.name.rstrip(".") for one in bundle_records(names) if one.type == "A"}
        assert asked.split("/")[2] in known
        served.add(asked.replace(names.domain, "<domain>"))
    promised = SERVED.findall((TOP / "docs/phones.md").read_text("utf-8"))
    assert len(promised) == len(served)
    assert set(promised) == served
