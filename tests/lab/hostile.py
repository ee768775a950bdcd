"""Five hundred hostile words: each would act, if anything took it for more than text."""

from __future__ import annotations

from itertools import product

CANARY = "/tmp/paquet-canary"  # noqa: S108 (what must never appear)
ACTS = (f"touch {CANARY}", f"id>{CANARY}", f"cp /etc/passwd {CANARY}")
TEMPLATES = (
    '{{{{ lookup("pipe", "{act}") }}}}',
    "{{{{ lookup('ansible.builtin.pipe', '{act}') }}}}",
    '{{% set x = lookup("pipe", "{act}") %}}',
    "{{{{ ''.__class__.__mro__[1].__subclasses__() }}}}{{# {act} #}}",
    "#{{ {act} }}",
    "${{{{ {act} }}}}",
    "<%= `{act}` %>",
    "!!python/object/apply:os.system ['{act}']",
)
SHELLS = ("$({act})", "`{act}`", "; {act} ;", "| {act}", "&& {act}", "'; {act}; '", '"; {act}; "')
SQL = (
    "'; DROP TABLE mailbox; --",
    "' OR '1'='1",
    "\\'; DELETE FROM device; --",
    "'); DROP TABLE domain; --",
    "$$; DROP TABLE alias; $$",
    '"; DROP DATABASE mail; --',
    "' UNION SELECT secret_sha256 FROM device --",
    "%' AND 1=0; --",
)
FORMATS = (
    "- yaml: [unclosed",
    "key: &anchor *anchor",
    "!unsafe x",
    '"}},"pwned":true,"x":"',
    "]]><!-- x",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "&xxe;",
    "=cmd|' /C calc'!A0",
    "%s%s%n",
    "{0.__class__}",
    "../../../etc/passwd",
    "..\\..\\windows",
    "*)(uid=*))(|(uid=*",
    "BEGIN:VCARD",
    "X; Path=/; HttpOnly",
    "\\u0000\\x00",
    "nc://login/user:x&server:https://evil",
    "null",
    "true",
    "-rf",
    "--extra-vars=@/etc/passwd",
    "~root",
    "%i %h $HOME",
)
UNSEEN = (
    "a\nb",
    "a\r\nBcc: evil@example.org",
    "a\0b",
    "\u202etxt.exe",
    "\u2066x\u2069",
    "zero\u200bwidth",
    "\ufeffbom",
    "bell\a",
    "\x1b[31mred\x1b[0m",
    "line\u2028separator",
    "\ud800",
    "tab\tbed",
    "del\x7f",
    "\u0085next",
    "private\ue000use",
)
AFFIXES = ("", "Jeanne ", " Martin", "Zoë “x” ", "é", "名前 ", "🙂 ", "' ", '" ', "\\ ")


def names() -> list[str]:
    """Return 250 hostile names of people."""
    acting = [form.format(act=act) for form, act in product((*TEMPLATES, *SHELLS), ACTS)]
    plain = [*acting, *SQL, *FORMATS, *UNSEEN, "", " ", "x" * 300, "é" * 300, "\u0301" * 300]
    more = [
        f"{affix}{word}" for affix, word in product(AFFIXES[1:], (*SQL, *FORMATS[:12], *SHELLS))
    ]
    return list(dict.fromkeys([*plain, *more]))[:250]


def domains() -> list[str]:
    """Return 250 hostile domains."""
    words = [*names()[:90], *UNSEEN]
    forms = ("{}", "{}.paquet.test", "exemple.{}")
    made = [form.format(word) for word, form in product(words, forms)]
    return list(dict.fromkeys(made))[:250]
