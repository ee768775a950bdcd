"""The errors that a person is expected to meet, each with what to do next."""


class PaquetError(Exception):
    """An expected failure: one clear sentence, and a hint that says what to do next."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageRefused(PaquetError):
    """The words of the command are understood, but ask for something that cannot be."""

    exit_code = 2


class WordRefused(UsageRefused):
    """What cannot be of several words together, told at the one called `word`."""

    def __init__(self, word: str, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.word = word


class UnsafeChange(PaquetError):
    """The change would do more than a careful person expects; it needs `--force`."""

    exit_code = 4
