"""Articles of the French tax code (CGI) that let a giver deduct: of persons, of companies."""

from __future__ import annotations

from typing import Literal, TypeAlias

Article: TypeAlias = Literal["200", "238 bis", "978"]


def articles_for(articles: tuple[Article, ...], *, is_person: bool) -> str:
    """Return those of an organisation's articles that a person, or a company, may use, or ''."""
    own = {"200", "978"} if is_person else {"238 bis"}
    return ", ".join(article for article in articles if article in own)
