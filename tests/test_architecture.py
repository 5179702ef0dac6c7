"""The shape of the house, read from the source: arrows point down, and each rule has its place."""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LAYERS = ["accounts", "worker", "documents", "billing", "config"]  # from the ground up
LONGEST_FILE = 400
ALSO_MEASURED = ["tests", "bench", "chaos"]

# Names of higher modules that wiring hands to a program: no import, and nothing depends on them.
WIRING = {"config.settings", "config.wsgi"}
MAY_IMPORT_IN_FUNCTIONS = {
    "accounts/apps.py::ready": "models must be loaded first",
    "worker/apps.py::ready": "models must be loaded first",
    "documents/apps.py::ready": "models must be loaded first",
    "billing/apps.py::ready": "models must be loaded first",
    "worker/celery.py::_check_before_taking_work": "models must be loaded first",
    "worker/celery.py::_warm_child": "models must be loaded first",
    "worker/celery.py::_listen": "models must be loaded first",
    "worker/celery.py::_say_who_beats": "models must be loaded first",
    "documents/archive/opening.py::import_s3": "boto3 only where a bucket is used",
    "documents/rendering/loading.py::import_engine": "keeps WeasyPrint out of web processes",
}
MAY_ROUND = {
    "billing/money.py": "the one place that rounds",
    "billing/imports/lines.py": "finds out whether a source has more places than the field",
    "billing/audit.py": "writes before and after with the same places",
    "billing/imports/run.py": "seconds, for a report",
    "billing/management/watching.py": "seconds and rates, for a report",
    "billing/demo.py": "makes amounts up",
    "billing/forms/settings.py": "finds out whether a rate has more places than the field",
    "billing/services/returns.py": "a quantity: SQLite's sums come with a float's tail",
    "billing/services/returned.py": "a quantity: SQLite's sums come with a float's tail",
    "billing/selectors/postings.py": "a quantity: SQLite's sums come with a float's tail",
}
MAY_TOUCH_NEXT_NUMBER = {
    "billing/numbering.py": "the one place that takes a number",
    "billing/models/sequences.py": "declares the field",
    "billing/selectors/numbering.py": "reads it, to report gaps",
    "billing/admin.py": "shows it",
}
MAY_LISTEN_TO_SIGNALS = {"billing/audit.py": "signs entries of the log, which decides nothing"}
MAY_CATCH_EVERYTHING = {
    "worker/running.py": "the boundary of every task: recorded, tried again",
    "documents/services/schedules.py": "one must not hold up another: logged, tried again",
    "worker/keeping.py": "a thread that renews a lease: what ends it gives the work to another",
}


@dataclass(frozen=True)
class Module:
    """A file of ours; `name` is dotted, with `__init__` left out."""

    path: str
    tree: ast.Module

    @property
    def name(self) -> str:
        return self.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    @property
    def layer(self) -> str:
        return self.name.split(".")[0]

    @property
    def package(self) -> str:
        """Where a relative import starts."""
        return self.name if self.path.endswith("__init__.py") else self.name.rpartition(".")[0]


def module(path: str, source: str) -> Module:
    return Module(path, ast.parse(source, path))


@cache
def modules() -> tuple[Module, ...]:
    paths = [path for layer in LAYERS for path in sorted((ROOT / layer).rglob("*.py"))]
    return tuple(module(str(path.relative_to(ROOT)), path.read_text()) for path in paths)


def outside_migrations() -> list[Module]:
    return [found for found in modules() if "/migrations/" not in found.path]


def imported(node: ast.AST, package: str) -> Iterator[str]:
    """The dotted names that one import statement may mean: the module, and module.name."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        parts = package.split(".")
        base = parts[: len(parts) - node.level + 1] if node.level else []
        source = ".".join([*base, *([node.module] if node.module else [])])
        yield source
        yield from (f"{source}.{alias.name}" for alias in node.names)


def dotted_strings(tree: ast.AST) -> Iterator[str]:
    """Strings that name something in a layer of ours, such as `billing.services`."""
    pattern = re.compile(rf"({'|'.join(LAYERS)})(\.\w+)+(?=:\w+$|$)")
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            match = pattern.match(node.value)
            if match:
                yield match.group()


def upward_arrows(found: Module) -> list[str]:
    """What a module names of the layers above its own, in imports or in strings."""
    above = LAYERS[LAYERS.index(found.layer) + 1 :]
    names = [name for node in ast.walk(found.tree) for name in imported(node, found.package)]
    names += [name for name in dotted_strings(found.tree) if name not in WIRING]
    return sorted({f"{found.path} -> {name}" for name in names if name.split(".")[0] in above})


def test_arrows_point_down_only():
    assert [arrow for found in modules() for arrow in upward_arrows(found)] == []


@pytest.mark.parametrize(
    "source",
    [
        "import billing",
        "import billing.money as money",
        "from billing.models import Invoice",
        "def late():\n    from billing import models",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import billing.models",
        "import_module('billing.services')",
        "apps.get_model('billing.Invoice')",
        "from config import env",
    ],
)
def test_an_arrow_up_is_found(source):
    assert upward_arrows(module("documents/x.py", source))


@pytest.mark.parametrize(
    "source",
    [
        "from worker.leasing import LeasedWork\nfrom accounts.models import User",
        "from documents import models\nfrom . import papers",
        "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'config.settings')",
        "text = 'See billing.'",
    ],
)
def test_an_arrow_down_is_allowed(source):
    assert upward_arrows(module("documents/x.py", source)) == []


def test_a_relative_import_is_taken_for_what_it_means():
    tree = ast.parse("from ..services import requests")
    assert list(imported(tree.body[0], "documents.models")) == [
        "documents.services",
        "documents.services.requests",
    ]


def test_the_templates_of_an_app_name_no_app_above_it():
    found = []
    for place, layer in enumerate(LAYERS[:-1]):
        above = "|".join(LAYERS[place + 1 :])
        pattern = re.compile(rf"{{%[^%]*['\"](?:{above})[:/]")
        for path in sorted((ROOT / "templates" / layer).rglob("*.html")):
            found += [f"{path.name}: {hit}" for hit in pattern.findall(path.read_text())]
    assert found == []


# --- Circles -------------------------------------------------------------------------------------


def at_load(tree: ast.AST) -> Iterator[ast.AST]:
    """The nodes that run when the module is imported: not in functions, nor for types only."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        yield node
        yield from at_load(node)


def loaded(node: ast.AST, package: str, names: set[str]) -> set[str]:
    """Which of `names` one statement loads. `from a import b` means a.b if that is a module."""
    if isinstance(node, ast.ImportFrom):
        source, *inner = imported(node, package)
        return {name if name in names else source for name in inner} & names
    return set(imported(node, package)) & names


def graph(found: Iterable[Module]) -> dict[str, set[str]]:
    """Which module loads which, when it is loaded itself."""
    found = list(found)
    names = {each.name for each in found}
    edges: dict[str, set[str]] = {}
    for each in found:
        loads = [loaded(node, each.package, names) for node in at_load(each.tree)]
        edges[each.name] = set().union(*loads) - {each.name}
    return edges


def circle(edges: dict[str, set[str]]) -> list[str]:
    """The first circle found, as a path that ends where it begins; empty if there is none."""
    done: set[str] = set()

    def walk(name: str, way: list[str]) -> list[str]:
        if name in way:
            return [*way[way.index(name) :], name]
        if name in done:
            return []
        for target in sorted(edges.get(name, ())):
            if closed := walk(target, [*way, name]):
                return closed
        done.add(name)
        return []

    return next((closed for name in sorted(edges) if (closed := walk(name, []))), [])


def test_no_modules_import_each_other_in_a_circle():
    closed = circle(graph(outside_migrations()))
    assert closed == [], " -> ".join(closed)


def test_a_circle_is_found_and_told():
    found = [
        module("billing/a.py", "from billing import b"),
        module("billing/b.py", "import billing.c"),
        module("billing/c.py", "from .a import something"),
        module("billing/d.py", "def late():\n    from billing import d, a"),
    ]
    assert circle(graph(found)) == ["billing.a", "billing.b", "billing.c", "billing.a"]
    assert circle(graph(found[1:])) == []


# --- Each rule in its place ----------------------------------------------------------------------


def uses(found: Module, rule: str) -> bool:
    return any(RULES[rule](node) for node in ast.walk(found.tree))


def rounds(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        called = node.func
        return (isinstance(called, ast.Attribute) and called.attr in ("quantize", "__round__")) or (
            isinstance(called, ast.Name) and called.id in ("round", "Round")
        )
    return isinstance(node, ast.alias) and node.name.startswith("ROUND_")


def touches_next_number(node: ast.AST) -> bool:
    return (
        (isinstance(node, ast.Attribute) and node.attr == "next_number")
        or (isinstance(node, ast.keyword) and (node.arg or "").startswith("next_number"))
        or (isinstance(node, ast.Constant) and node.value == "next_number")
    )


def catches_everything(node: ast.AST) -> bool:
    """A handler of all exceptions that does not raise again what it caught."""
    if not isinstance(node, ast.ExceptHandler):
        return False
    names = ast.unparse(node.type) if node.type else "BaseException"
    raises_again = isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None
    return bool(re.search(r"\b(Base)?Exception\b", names)) and not raises_again


def listens_to_signals(node: ast.AST) -> bool:
    names = list(imported(node, ""))
    return any(re.match(r"django(\..+)?\.(signals|dispatch)\b", name) for name in names)


RULES = {
    "round": rounds,
    "next_number": touches_next_number,
    "catch everything": catches_everything,
    "signals": listens_to_signals,
}


@pytest.mark.parametrize(
    ("rule", "allowed", "layers"),
    [
        ("round", MAY_ROUND, ["billing"]),
        ("next_number", MAY_TOUCH_NEXT_NUMBER, LAYERS),
        ("catch everything", MAY_CATCH_EVERYTHING, LAYERS),
        ("signals", MAY_LISTEN_TO_SIGNALS, LAYERS),
    ],
)
def test_only_the_named_places(rule, allowed, layers):
    files = {each.path for each in outside_migrations() if each.layer in layers}
    found = {each.path for each in outside_migrations() if each.path in files and uses(each, rule)}
    assert sorted(found - set(allowed)) == [], f"{rule}: belongs to {sorted(allowed)}"
    assert sorted(set(allowed) - found) == [], f"{rule}: no longer so, take these from the list"


@pytest.mark.parametrize(
    ("rule", "source"),
    [
        ("round", "total = amount.quantize(Decimal('0.01'))"),
        ("round", "total = round(amount, 2)"),
        ("round", "from decimal import ROUND_HALF_EVEN"),
        ("next_number", "number = sequence.next_number + 1"),
        ("next_number", "rows.update(next_number=5)"),
        ("next_number", "rows.values_list('next_number')"),
        ("catch everything", "try:\n    f()\nexcept Exception:\n    pass"),
        ("catch everything", "try:\n    f()\nexcept (OSError, Exception) as e:\n    log(e)"),
        ("catch everything", "try:\n    f()\nexcept:\n    pass"),
        ("signals", "from django.db.models.signals import post_save"),
        ("signals", "from django.db.models import signals"),
        ("signals", "from django.dispatch import receiver"),
    ],
)
def test_a_breach_is_found(rule, source):
    assert uses(module("billing/x.py", source), rule)


@pytest.mark.parametrize(
    ("rule", "source"),
    [
        ("round", "from billing.money import rounded\ntotal = rounded(amount, 'GBP')"),
        ("catch everything", "try:\n    f()\nexcept BaseException:\n    undo()\n    raise"),
        ("catch everything", "try:\n    f()\nexcept OSError:\n    pass"),
        ("signals", "from celery.signals import worker_init\nimport signal"),
    ],
)
def test_what_is_no_breach_is_let_through(rule, source):
    assert not uses(module("billing/x.py", source), rule)


def functions_that_import(tree: ast.AST) -> set[str]:
    return {
        outer.name
        for outer in ast.walk(tree)
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef)
        for inner in ast.walk(outer)
        if isinstance(inner, ast.Import | ast.ImportFrom)
    }


def test_no_function_imports_but_the_named_ones():
    found = {
        f"{each.path}::{name}"
        for each in outside_migrations()
        for name in functions_that_import(each.tree)
    }
    assert sorted(found - set(MAY_IMPORT_IN_FUNCTIONS)) == []


def test_an_import_in_a_function_is_found():
    source = "class A:\n    def f(self):\n        if True:\n            import os\nimport sys"
    assert functions_that_import(ast.parse(source)) == {"f"}


def test_no_file_is_too_long():
    paths = [path for name in [*LAYERS, *ALSO_MEASURED] for path in (ROOT / name).rglob("*.py")]
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in paths}
    long = {path: lines for path, lines in lengths.items() if lines > LONGEST_FILE}
    assert {path: lines for path, lines in long.items() if "/migrations/" not in path} == {}


def test_no_file_is_a_drawer_for_odds_and_ends():
    names = {Path(each.path).name for each in modules()}
    assert {
        name for name in names if re.search(r"(utils?|helpers?|common|misc)\.py$", name)
    } == set()


def test_paper_templates_use_the_snapshot_and_nothing_else():
    """No tag that reads the clock, the request, a URL or a file; no library but these two."""
    for path in sorted((ROOT / "templates" / "pdf").rglob("*.html")):
        text = path.read_text()
        libraries = {
            word for tag in re.findall(r"{%\s*load ([^%]+)%}", text) for word in tag.split()
        }
        assert libraries <= {"i18n", "paper"}, path
        assert not re.search(r"{%\s*(now|url|static|csrf_token|debug|lorem|random)\b", text), path
        assert not re.search(r"\b(request|user|settings)\.\w|\|\s*(safe|safeseq)\b", text), path
        for other in re.findall(r"{%\s*(?:extends|include)\s+([^%]+)%}", text):
            assert other.strip().startswith('"pdf/'), path
