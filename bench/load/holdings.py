"""What every part holds at a moment: memory, file descriptors, sessions, rows and their dead ones,
files that should be gone soon."""

from collections.abc import Mapping
from pathlib import Path

import psutil

from bench.load.watching import Database, below
from documents.archive.protocol import DRAFT

_TABLES = """
SELECT relname, n_live_tup, n_dead_tup, pg_total_relation_size(relid)
FROM pg_stat_user_tables ORDER BY relname
"""
_WORKER = "worker "
MEGABYTE = 1024 * 1024


def holdings(
    parts: Mapping[str, int], database: Database, folders: Mapping[str, Path]
) -> dict[str, float]:
    """By name, `what: whose`; memory in MB."""
    held: dict[str, float] = {}
    for name, root in parts.items():
        held |= _part(name, root)
    sessions = database.look()
    held["sessions: database"] = sessions["sessions"]
    held["idle in transaction: database"] = sessions["idle in transaction"]
    held["temporary files: database"] = sessions["temp files"]
    for table, live, dead, size in database.rows(_TABLES):
        held |= {f"rows: {table}": live, f"dead rows: {table}": dead, f"kB: {table}": size // 1024}
    held["files: temporary"] = _files(folders["temporary"])
    held["files: drafts of the archive"] = _files(folders["drafts of the archive"], DRAFT)
    held["MB: broker's folder"] = _size(folders["broker"]) / MEGABYTE
    return held


def _part(name: str, root: int) -> dict[str, float]:
    """A worker's children are replaced as they grow: of them the largest counts, and its parent
    stands by itself. Of the database what all its processes share is left out.
    """
    memory: list[float] = []
    descriptors = 0
    for process in below(root):
        try:
            memory.append(_memory(process, name) / MEGABYTE)
            descriptors += process.num_fds()
        except psutil.NoSuchProcess:
            continue
    held: dict[str, float] = {f"descriptors: {name}": descriptors}
    held[f"processes: {name}"] = len(memory)
    if name.startswith(_WORKER) and len(memory) > 1:
        return held | {f"MB: {name}": memory[0], f"MB at most: {name}'s children": max(memory[1:])}
    return held | {f"MB: {name}": sum(memory)}


def _memory(process: psutil.Process, name: str) -> int:
    held = process.memory_info()
    if name == "database":
        return int(held.rss - held.shared)  # a buffer that only one has touched is shared too
    return int(held.rss)


def _files(folder: Path, prefix: str = "") -> int:
    return sum(path.is_file() for path in folder.rglob(f"{prefix}*"))


def _size(folder: Path) -> int:
    size = 0
    for path in folder.rglob("*"):
        try:
            size += path.stat().st_size
        except FileNotFoundError:
            continue  # rewritten meanwhile
    return size
