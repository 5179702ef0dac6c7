"""How commands that can't be undone are agreed to."""

from django.core.management.base import CommandError


def require_word(word: str, question: str) -> None:
    """Raises CommandError for any other answer, and where nobody is there to give one."""
    try:
        answer = input(f"Type '{word}' to {question}: ")
    except EOFError as error:
        raise CommandError(
            "Nothing was changed: nobody answers. --no-input asks nobody."
        ) from error
    if answer != word:
        raise CommandError("Nothing was changed.")
