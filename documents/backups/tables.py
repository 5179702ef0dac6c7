"""The database's tables as files, at one moment, and back.

PostgreSQL writes and reads them with COPY; on SQLite each row is a line of JSON. A backup of the
one is not read into the other.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any, BinaryIO

from django.db import connection

from documents.consistency import consistent_read

# What says who is here now: sessions that were ended must not come back to life. The state of the
# migrations is told by the manifest.
_OF_THE_MOMENT = {
    "accounts_cache",
    "billing_sent_forms",
    "django_migrations",
    "django_session",
    "usersessions_usersession",
    "worker_presence",
}
# Filled by `migrate` itself.
_FILLED_BY_MIGRATING = {"auth_permission", "django_content_type", "django_site"}
_ROWS = 1000


def kept_tables() -> list[str]:
    return [name for name in _tables() if name not in _OF_THE_MOMENT]


def _tables() -> list[str]:
    with connection.cursor() as cursor:
        return sorted(connection.introspection.table_names(cursor))


def columns_of(table: str) -> list[str]:
    with connection.cursor() as cursor:
        found = connection.introspection.get_table_description(cursor, table)
    return [column.name for column in found]


@contextmanager
def one_moment() -> Iterator[None]:
    """All reads inside see the same moment, and nobody who writes waits for them."""
    with _deferred(), consistent_read():
        yield


@contextmanager
def _deferred() -> Iterator[None]:
    """On SQLite, a transaction that only reads must not take the one place of a writer."""
    if connection.vendor != "sqlite":
        yield
        return
    connection.ensure_connection()
    before = getattr(connection, "transaction_mode", None)
    connection.transaction_mode = "DEFERRED"  # type: ignore[attr-defined]
    try:
        yield
    finally:
        connection.transaction_mode = before  # type: ignore[attr-defined]


def write_table(table: str, columns: list[str], file: BinaryIO) -> int:
    """Returns how many rows."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.copy_expert(f"COPY {_named(table, columns)} TO STDOUT", file)
            return int(cursor.rowcount)
    rows = 0
    # The sign has SQLite's driver hand out what is stored, not a date or a decimal made of it.
    plain = ", ".join(f"+{_quoted(column)}" for column in columns)
    for row in _rows(f"SELECT {plain} FROM {_quoted(table)}"):  # noqa: S608  our names
        file.write(json.dumps(row).encode() + b"\n")
        rows += 1
    return rows


def read_table(table: str, columns: list[str], file: BinaryIO) -> int:
    """Into a table that is empty. Returns how many rows."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.copy_expert(f"COPY {_named(table, columns)} FROM STDIN", file)
            return int(cursor.rowcount)
        marks = ", ".join("%s" for _ in columns)
        statement = f"INSERT INTO {_named(table, columns)} VALUES ({marks})"  # noqa: S608
        rows, lines = 0, (json.loads(line) for line in file)
        while chunk := list(islice(lines, _ROWS)):
            cursor.executemany(statement, chunk)
            rows += len(chunk)
        return rows


def filled_tables() -> list[str]:
    """Those that hold rows which no migration put there."""
    names = set(kept_tables()) - _FILLED_BY_MIGRATING
    return sorted(name for name in names if _is_filled(name))


def _is_filled(table: str) -> bool:
    return next(_rows(f"SELECT 1 FROM {_quoted(table)} LIMIT 1"), None) is not None  # noqa: S608


def empty_all() -> None:
    """In the caller's transaction. Nobody stays signed in."""
    names = [name for name in _tables() if name not in ("django_migrations", "accounts_cache")]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"TRUNCATE {_list(names)}")
            return
        for name in names:
            cursor.execute(f"DELETE FROM {_quoted(name)}")  # noqa: S608  our names


def reset_sequences(tables: Iterable[str]) -> None:
    """So that the next row gets a key that no row has."""
    if connection.vendor != "postgresql":
        return  # SQLite goes on from the highest by itself
    with connection.cursor() as cursor:
        for table in tables:
            for found in connection.introspection.get_sequences(cursor, table):
                column = _quoted(found["column"])
                cursor.execute(
                    f"SELECT setval(pg_get_serial_sequence(%s, %s), COALESCE(MAX({column}), 1),"  # noqa: S608
                    f" MAX({column}) IS NOT NULL) FROM {_quoted(table)}",
                    [_quoted(table), found["column"]],
                )


def _rows(statement: str) -> Iterator[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        while chunk := cursor.fetchmany(_ROWS):
            yield from chunk


def _named(table: str, columns: list[str]) -> str:
    return f"{_quoted(table)} ({_list(columns)})"


def _list(names: Iterable[str]) -> str:
    return ", ".join(_quoted(name) for name in names)


def _quoted(name: str) -> str:
    return str(connection.ops.quote_name(name))
