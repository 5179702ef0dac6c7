"""Preflight checks of a machine that makes documents."""

from collections.abc import Iterator

from django.conf import settings

from documents.archive import archive, archive_place
from documents.rendering import font_problems
from worker.health import Unready
from worker.preflight import Problem


def archive_is_writable() -> Iterator[Problem]:
    if not archive().is_writable():
        yield Problem(_not_writable())


def _not_writable() -> str:
    if settings.STORAGE_URL:
        return "The bucket of STORAGE_URL can't be written to. Check its name, key and network."
    return (
        f"The archive {archive_place()} can't be written to. "
        "Check PRESSROOM_ARCHIVE_DIR, the folder's owner and the free space."
    )


def fonts_are_there() -> Iterator[Problem]:
    for text in font_problems():
        yield Problem(text)


def archive_answers() -> None:
    if not archive().is_writable():
        raise Unready("The archive can't be written to.")
