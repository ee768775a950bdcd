"""The only door to Jinja2: templates in, text out, a missing word is an error."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from jinja2 import StrictUndefined, TemplateError
from jinja2.loaders import FileSystemLoader
from jinja2.sandbox import SandboxedEnvironment

from provision.errors import PaquetError
from provision.shipped import share

if TYPE_CHECKING:
    from collections.abc import Mapping


def render(template: str, variables: Mapping[str, object]) -> str:
    """Render `templates/<template>`; `.html` and `.xml` escape what people wrote.

    Text of people is only ever a variable, never a template (design §8).
    """
    try:
        return _environment().get_template(template).render(variables)
    except TemplateError as wrong:
        raise PaquetError(f"The template {template} cannot be rendered: {wrong}") from wrong


@cache
def _environment() -> SandboxedEnvironment:
    return SandboxedEnvironment(
        loader=FileSystemLoader(share("templates")),
        undefined=StrictUndefined,
        autoescape=_escapes,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _escapes(template: str | None) -> bool:
    return template is not None and template.removesuffix(".j2").endswith((".html", ".xml", ".svg"))
