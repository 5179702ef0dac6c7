"""What decides how a paper looks, as one digest a kind; and the program that writes them down.

`./manage.py shell -c "from tests.documents import template_pins; template_pins.main()"` pins new
kinds and raised versions. It refuses a change under the same version, unless `same_bytes=True` says
that no byte of a PDF changed (a comment, a rename), or that no paper of this version was issued.
"""

import hashlib
import json
import re
from pathlib import Path

from documents.papers import PaperKind, paper_kinds

ROOT = Path(__file__).resolve().parent.parent.parent
PINNED = Path(__file__).with_name("template_versions.json")
TEMPLATES = ROOT / "templates"
SHARED = [
    TEMPLATES / "pdf" / "print.css",
    ROOT / "documents" / "formatting.py",
    ROOT / "documents" / "languages.py",
    ROOT / "documents" / "templatetags" / "paper.py",
    *sorted((ROOT / "documents" / "rendering").glob("*.py")),
    *sorted((ROOT / "locale").rglob("*.po")),
]

Pin = dict[str, int | str]


def template_files(name: str) -> list[Path]:
    """The template and all that it extends or includes."""
    path = TEMPLATES / name
    others = re.findall(r'{%\s*(?:extends|include)\s+"([^"]+)"', path.read_text())
    return [path, *(file for other in others for file in template_files(other))]


def digest(files: list[Path], root: Path = ROOT) -> str:
    total = hashlib.sha256()
    for file in files:
        total.update(f"{file.relative_to(root)}\n".encode() + _printed(file))
    return total.hexdigest()


def _printed(file: Path) -> bytes:
    """What of a file decides how a paper looks: of translations, what stands before the e-mails."""
    return file.read_bytes().partition(b"# --- E-mails")[0]


def current(kind: PaperKind) -> Pin:
    return {"version": kind.version, "sha256": digest([*template_files(kind.template), *SHARED])}


def pinned() -> dict[str, Pin]:
    return json.loads(PINNED.read_text())


def changed_under_one_version(before: dict[str, Pin], now: dict[str, Pin]) -> list[str]:
    return [
        name
        for name, pin in now.items()
        if name in before and pin != before[name] and pin["version"] == before[name]["version"]
    ]


def main(*, same_bytes: bool = False) -> None:
    now = {kind.name: current(kind) for kind in sorted(paper_kinds(), key=lambda kind: kind.name)}
    changed = changed_under_one_version(pinned(), now)
    if changed and not same_bytes:
        raise SystemExit(f"Raise the version of {', '.join(changed)} first, or say same_bytes.")
    PINNED.write_text(json.dumps(now, indent=2) + "\n")
