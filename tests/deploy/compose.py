"""docker-compose.yml, read as Compose reads it, and its services as processes of this machine."""

import os
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
_VARIABLE = re.compile(r"\$(?:\$|\{(?P<name>\w+)(?:(?P<how>:[-?])(?P<rest>[^}]*))?\})")


class Loader(yaml.SafeLoader):
    """A key that stands twice in a mapping is refused, as Compose refuses it."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value]
        twice = [key for key in keys if keys.count(key) > 1]
        if twice:
            problem = f"{twice[0]!r} stands twice"
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark)
        return super().construct_mapping(node, deep)


def load(text: str) -> dict[str, Any]:
    document: dict[str, Any] = yaml.load(text, Loader)
    return document


def interpolated(value: Any, variables: dict[str, str]) -> Any:
    """`${NAME}`, `${NAME:-default}`, `${NAME:?why}` and `$$` in every string."""
    if isinstance(value, dict):
        return {key: interpolated(inner, variables) for key, inner in value.items()}
    if isinstance(value, list):
        return [interpolated(inner, variables) for inner in value]
    if not isinstance(value, str):
        return value

    def filled(match: re.Match[str]) -> str:
        name, how, rest = match["name"], match["how"], match["rest"]
        if name is None:
            return "$"
        if how == ":?" and not variables.get(name):
            raise KeyError(f"{name}: {rest}")
        return variables.get(name) or rest or ""

    return _VARIABLE.sub(filled, value)


def read(variables: dict[str, str]) -> dict[str, Any]:
    """`variables` is what .env holds: a service that names it gets them, under its own."""
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    document: dict[str, Any] = interpolated(load(text), variables)
    for service in document["services"].values():
        if any(file["path"] == ".env" for file in service.get("env_file", [])):
            service["environment"] = {**variables, **service["environment"]}
    return document


def image_environment() -> dict[str, str]:
    """What our image's `ENV` sets, beside the path."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line.removeprefix("ENV ") for line in text.splitlines() if line.startswith("ENV ")]
    words = [word.split("=", 1) for line in lines for word in shlex.split(line)]
    return {name: value for name, value in words if name not in {"PATH", "HOME"}}


def dotenv(path: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in path.read_text().splitlines() if "=" in line)


@dataclass
class Machine:
    """Where what the containers know by path or name lies on this machine."""

    folder: Path
    places: dict[str, str] = field(default_factory=dict)
    programs: list[Path] = field(default_factory=list)

    def here(self, text: str) -> str:
        for there, place in sorted(self.places.items(), key=lambda item: -len(item[0])):
            text = text.replace(there, place)
        return text

    def environment(self, service: dict[str, Any], **more: str) -> dict[str, str]:
        """Nothing of this process's own but the path."""
        own = {name: self.here(str(it)) for name, it in (service.get("environment") or {}).items()}
        path = os.pathsep.join([*map(str, self.programs), "/usr/sbin", "/usr/bin", "/bin"])
        base = {"PATH": path, "HOME": str(self.folder), "LANG": "C.UTF-8"}
        return {**base, "TMPDIR": str(self.folder), **own, **more}

    def words(self, command: list[str]) -> list[str]:
        return [self.here(word) for word in command]

    def health_check(self, service: dict[str, Any]) -> list[str]:
        kind, *rest = service["healthcheck"]["test"]
        words = ["sh", "-c", rest[0]] if kind == "CMD-SHELL" else rest
        return self.words(words)
