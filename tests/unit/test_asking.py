"""What is asked at the keyboard ends: with an answer, or with a sentence and a hint."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import Mock

import click
import pytest
from click.testing import CliRunner

from cli import INTERRUPTED, main
from provision import settings, strict
from provision.commands.begin.init import QUESTIONS, init
from provision.commands.shared import asking
from provision.commands.shared.context import Context
from provision.errors import PaquetError, UsageRefused
from provision.subscriptions.parties import profilefile
from provision.subscriptions.parties.profiles import EXAMPLE, Profile

if TYPE_CHECKING:
    from click.testing import Result

PROVISION = Path(asking.__file__).parents[2]
ANSWERS = ("Nuage", "nuage.example", "aide@nuage.example", "02 31 00 00 00", "", "alone", "")


def run(folder: Path, typed: str, *words: str) -> Result:
    return call(folder, typed, *words, "--yes")


def call(folder: Path, typed: str, *words: str) -> Result:
    context = Context(folder / "paquet.toml")
    return CliRunner().invoke(init, words, input=typed, obj=context, standalone_mode=False)


def refused(folder: Path, typed: str, *words: str) -> UsageRefused:
    result = run(folder, typed, *words)
    assert isinstance(result.exception, UsageRefused), result
    assert result.exception.hint
    assert not (folder / "paquet.toml").exists()
    return result.exception


def test_init_asks_for_a_telephone_number_and_writes_it(tmp_path: Path) -> None:
    assert run(tmp_path, "\n".join(ANSWERS) + "\n").exception is None
    operator = settings.load(tmp_path / "paquet.toml").operator
    assert (operator.telephone, operator.language) == ("02 31 00 00 00", "fr")


def test_init_asks_nothing_that_an_option_answers(tmp_path: Path) -> None:
    words = [f"--{name}={word or 'fr'}" for name, word in zip(QUESTIONS, ANSWERS, strict=True)]
    words[-1] = "--registry=sqlite:///paquet.db"
    assert run(tmp_path, "", *words).exception is None
    written = tomllib.loads((tmp_path / "paquet.toml").read_text("utf-8"))
    assert written["operator"]["telephone"] == "02 31 00 00 00"


@pytest.mark.parametrize(
    ("sellers", "parties"), [("alone", {"seller"}), ("together", {"supporter"})]
)
def test_init_writes_the_contract_of_one_or_of_two(
    tmp_path: Path, sellers: str, parties: set[str]
) -> None:
    words = ("--operator=Nuage", "--zone=nuage.example", "--contact=aide@nuage.example")
    assert run(tmp_path, "", *words, f"--sellers={sellers}").exception is None
    (contract,) = tomllib.loads((tmp_path / "contract.toml").read_text("utf-8"))["contract"]
    assert {party for party, name in contract.items() if name == "Nuage"} == parties
    assert ("supporter" in contract) is (sellers == "together")
    both = tmp_path / ("contract-together.toml" if sellers == "alone" else "contract.toml")
    (shared,) = tomllib.loads(both.read_text("utf-8"))["contract"]
    assert shared["supporter"] == "Nuage"


@pytest.mark.parametrize(
    ("sellers", "expected"),
    [
        ("alone", ("Nuage", "aide@nuage.example", "02 31 00 00 00", "franchise", "")),
        (
            "together",
            ("Boutique Libre", "bonjour@boutique-libre.example", "02 00 00 00 00", "liable", "FR"),
        ),
    ],
)
def test_init_describes_an_association_alone_or_the_business_of_two(
    tmp_path: Path, sellers: str, expected: tuple[str, ...]
) -> None:
    words = ("--operator=Nuage", "--zone=nuage.example", "--contact=aide@nuage.example")
    given = (f"--sellers={sellers}", "--telephone=02 31 00 00 00")
    assert run(tmp_path, "", *words, *given).exception is None
    text = (tmp_path / "organisation.toml").read_text("utf-8")
    said = strict.parse(text, Profile, EXAMPLE)
    assert (said.name, said.email, said.phone, said.vat, said.vat_id[:2]) == expected
    assert said.legal.startswith("Association" if sellers == "alone" else "SARL")
    assert ("Boutique" in text) is (sellers == "together")
    with pytest.raises(PaquetError, match="is still that of the example"):
        profilefile.read(tmp_path / "organisation.toml")


def test_init_without_a_number_is_fine(tmp_path: Path) -> None:
    assert run(tmp_path, "Nuage\nnuage.example\naide@nuage.example\n\n\n\n").exception is None
    assert settings.load(tmp_path / "paquet.toml").operator.telephone == ""


def test_init_takes_what_is_usual_when_nobody_is_there_to_say_otherwise(tmp_path: Path) -> None:
    """As a script of before did, which knew no telephone number."""
    words = ("--operator=Nuage", "--zone=nuage.example", "--contact=aide@nuage.example")
    assert run(tmp_path, "", *words).exception is None
    operator = settings.load(tmp_path / "paquet.toml").operator
    assert (operator.telephone, operator.language) == ("", "fr")


@pytest.mark.parametrize("at", range(3))
def test_init_says_so_when_the_input_ends_before_an_answer(tmp_path: Path, at: int) -> None:
    error = refused(tmp_path, "".join(f"{word}\n" for word in ANSWERS[:at]))
    missing = ", ".join([question.option for question in QUESTIONS.values()][at:3])
    assert error.message == f"The input ended before an answer: {missing}"
    assert error.hint == f"Give {'it' if at == 2 else 'them'} as {missing}."


def test_init_names_all_that_is_missing_and_no_more(tmp_path: Path) -> None:
    error = refused(tmp_path, "", "--zone=nuage.example", "--language=en")
    assert error.message == "The input ended before an answer: --operator, --contact"
    assert error.hint == "Give them as --operator, --contact."


def test_init_shows_what_it_would_write_and_writes_nothing(tmp_path: Path) -> None:
    words = ("--operator=Nuage", "--zone=nuage.example", "--contact=aide@nuage.example")
    (tmp_path / "inventory.yml").write_text("mine", "utf-8")
    shown = call(tmp_path, "", *words, "--dry-run", "--json")
    assert [Path(row["file"]).name for row in json.loads(shown.stdout)] == [
        *("paquet.toml", "paquet.key", "inventory.yml"),
        *("contract.toml", "plans.toml", "organisation.toml", "contract-together.toml"),
    ]
    assert [row["now"] for row in json.loads(shown.stdout)] == [
        *("is made", "is made", "stays as it is"),
        *("is made", "is made", "is made", "is made"),
    ]
    asked = call(tmp_path, "", *words)
    assert isinstance(asked.exception, UsageRefused)
    assert asked.exception.message == "Nobody is there to say yes"
    assert [path.name for path in tmp_path.iterdir()] == ["inventory.yml"]
    assert run(tmp_path, "", *words).exception is None
    assert (tmp_path / "inventory.yml").read_text("utf-8") == "mine"


@pytest.mark.parametrize(
    ("before", "wrong", "sentence"),
    [
        ("", "\n", "it needs an answer"),
        ("Nuage\n", "no zone\n", "is not a domain name"),
        ("Nuage\nnuage.example\n", "nobody\n", "is not an e-mail address"),
        ("Nuage\nnuage.example\na@b.example\n", "12\n", "is not a telephone number"),
        ("Nuage\nnuage.example\na@b.example\n\n", "de\n", "'fr' or 'en'"),
    ],
)
def test_init_never_repeats_a_question_for_ever(
    tmp_path: Path, before: str, wrong: str, sentence: str
) -> None:
    error = refused(tmp_path, before + wrong * 1000)
    assert sentence in error.message
    assert "Give it as --" in error.hint


def test_a_wrong_answer_may_be_mended(tmp_path: Path) -> None:
    name, zone, *others = ANSWERS
    assert run(tmp_path, "\n".join([name, "no zone", zone, *others, ""])).exception is None


@pytest.mark.parametrize(("typed", "agreed"), [("y\n", True), ("YES\n", True), ("\n", False)])
def test_a_yes_is_asked_for_once(typed: str, agreed: bool) -> None:  # noqa: FBT001
    assert agree(typed).return_value == agreed


@pytest.mark.parametrize("typed", ["perhaps\n" * 1000, "maybe\n"])
def test_what_is_neither_yes_nor_no_ends_too(typed: str) -> None:
    error = agree(typed).exception
    assert isinstance(error, UsageRefused)
    assert error.hint == "Add --yes."


def test_an_interruption_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_words: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("click.termui.visible_prompt_func", interrupted)
    with pytest.raises(click.Abort):
        asking.agree("Deliver it?", "Add --yes.")


def answered(
    monkeypatch: pytest.MonkeyPatch, folder: Path, answer: str | BaseException
) -> str | int | None:
    """Return the exit code of `paquet init` whose one question somebody at the keyboard answers."""
    words = [f"--{name}={word or 'fr'}" for name, word in zip(QUESTIONS, ANSWERS, strict=True)]
    words[-1] = "--registry=sqlite:///paquet.db"
    config = folder / "paquet.toml"
    monkeypatch.setattr("sys.argv", ["paquet", f"--config={config}", "init", *words])
    monkeypatch.setattr(asking, "someone_is_there", lambda: True)
    monkeypatch.setattr("click.termui.visible_prompt_func", Mock(side_effect=[answer]))
    monkeypatch.setattr("os.umask", Mock())  # it would stay with the tests after this one
    with pytest.raises(SystemExit) as ended:
        main()
    assert not config.exists()
    return ended.value.code


def test_a_no_is_answered_by_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert answered(monkeypatch, tmp_path, "n") == 1
    assert capsys.readouterr().err == "Nothing was done.\n"


def test_only_ctrl_c_is_an_interruption(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert answered(monkeypatch, tmp_path, KeyboardInterrupt()) == INTERRUPTED
    assert capsys.readouterr().err.endswith("\nInterrupted.\n")


def test_nothing_else_asks_in_a_loop_of_its_own() -> None:
    """click.prompt and click.confirm ask until they are content, whoever answers."""
    loops = re.compile(r"click\.(prompt|confirm)|prompt=|confirmation_prompt|\binput\(")
    asking_files = [
        path.relative_to(PROVISION)
        for path in PROVISION.rglob("*.py")
        if loops.search(path.read_text(encoding="utf-8"))
    ]
    assert asking_files == [Path("commands/shared/asking.py")]


def agree(typed: str) -> Result:
    @click.command()
    def command() -> bool:
        return asking.agree("Deliver it?", "Add --yes.")

    return CliRunner().invoke(command, input=typed, standalone_mode=False)
