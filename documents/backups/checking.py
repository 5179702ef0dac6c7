"""Is what was restored sound? Each app registers what it knows to look at."""

from collections.abc import Callable, Iterable, Iterator

from documents.archive import Damaged, archive
from documents.services.moving import named_files

Check = Callable[[], Iterable[str]]
_checks: dict[str, Check] = {}


def register_check(name: str, check: Check) -> None:
    """`check` yields problems, each one line. `name` says what is looked at."""
    _checks[name] = check


def checks() -> dict[str, Check]:
    return dict(_checks)


def stored_files() -> Iterator[str]:
    store = archive()
    for key, sha256 in named_files():
        try:
            store.open_checked(key, sha256).close()
        except Damaged as error:
            yield str(error)
