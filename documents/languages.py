"""The language that a paper speaks: its reader's where there is a translation, else English."""

from contextlib import AbstractContextManager
from functools import lru_cache

from django.conf import settings
from django.utils import translation

from documents.formatting import parse_locale


@lru_cache(maxsize=64)
def language_of(locale: str) -> str:
    """`de` for `de_CH`. A language that is not ours is English, not the few words Django has."""
    language = str(parse_locale(locale).language)
    return language if language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE


def speaking(locale: str) -> AbstractContextManager[None]:
    """`gettext` gives the words for a paper of `locale`."""
    return translation.override(language_of(locale))
