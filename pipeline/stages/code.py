"""The hash of the code that a stage runs.

It covers a module and all of attar that it imports, wherever in the file, by their syntax trees: comments,
docstrings and layout don't count. Code that only words or checks what a person sees or writes is left out, and
so are other libraries; their versions stand in ``run.json``. Does not import what it hashes.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from attar.runtime.files import sha256_text

__all__ = ["code_hash"]

_NOT_WORK = frozenset(
    {"attar.pipeline", "attar.pipeline.checkpoints", "attar.pipeline.config", "attar.pipeline.config.models"}
    | {"attar.pipeline.config.reading", "attar.pipeline.progress"}
    | {"attar.pipeline.stages.store", "attar.pipeline.stages", "attar.runtime.errors", "attar.runtime.files"}
)


@dataclass(frozen=True)
class _Import:
    """``from MODULE import NAMES``; without names ``import MODULE``.

    Attributes:
        level: Dots before the module.
        module: Empty where there are only dots.
        names: What is imported, and what it is called here.
    """

    level: int
    module: str
    names: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class _Code:
    """What the hash needs of a module's syntax tree.

    Attributes:
        digest: SHA-256 of the tree without docstrings.
        running: What it imports when it runs.
        handed_on: What a name of it may come from, by what that is called here.
    """

    digest: str
    running: tuple[_Import, ...]
    handed_on: Mapping[str, Sequence[_Import]]


@cache
def code_hash(module: str) -> str:
    """SHA-256 over the syntax trees of a module and of all of attar that it imports, as 64 hex digits."""
    seen: dict[str, str] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name in seen or name in _NOT_WORK:
            continue
        seen[name] = _code(name).digest
        waiting.extend(_imports(name))
    return sha256_text("\n".join(f"{name} {seen[name]}" for name in sorted(seen)))


def _imports(module: str) -> Iterator[str]:
    """Modules of attar that a module imports when it runs."""
    for found in _code(module).running:
        base = _absolute(found, module)
        if _file(base) is None:
            continue
        yield base
        for name, _ in found.names:
            yield from _homes(base, name)


def _homes(base: str, name: str) -> Iterator[str]:
    """Where a name comes from that a module hands on: a submodule, or the one that it is lazily imported from."""
    if _file(f"{base}.{name}"):
        yield f"{base}.{name}"
        return
    for found in _code(base).handed_on.get(name, ()):
        home = _absolute(found, base)
        if _file(home):
            yield home
            yield from _homes(home, name)


@cache
def _code(module: str) -> _Code:
    """Read once, as many modules import the same; without the tree, so that none is held in memory."""
    file = _file(module)
    assert file is not None, module  # only modules that have a file are asked for
    tree = ast.parse(file.read_text(encoding="utf-8"))
    handed_on: dict[str, list[_Import]] = {}
    for node in ast.walk(tree):
        for found in _imports_of(node) if isinstance(node, ast.ImportFrom) else ():
            for _, known in found.names:
                handed_on.setdefault(known, []).append(found)
    running = tuple(found for node in _running(tree) for found in _imports_of(node))
    return _Code(sha256_text(ast.dump(_without_docstrings(tree))), running, handed_on)


def _imports_of(node: ast.AST) -> Iterator[_Import]:
    if isinstance(node, ast.Import):
        yield from (_Import(0, alias.name, ()) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        names = tuple((alias.name, alias.asname or alias.name) for alias in node.names)
        yield _Import(node.level, node.module or "", names)


def _running(node: ast.AST) -> Iterator[ast.AST]:
    """Every node but those under ``if TYPE_CHECKING``."""
    yield node
    for child in ast.iter_child_nodes(node):
        if not (isinstance(child, ast.If) and isinstance(child.test, ast.Name) and child.test.id == "TYPE_CHECKING"):
            yield from _running(child)


def _absolute(found: _Import, module: str) -> str:
    if not found.level:
        return found.module
    parts = module.split(".")
    is_package = (file := _file(module)) is not None and file.name == "__init__.py"
    kept = parts[: len(parts) - found.level + is_package]
    return ".".join([*kept, found.module] if found.module else kept)


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            del node.body[0]
    return tree


@cache
def _file(module: str) -> Path | None:
    """The file of a module of attar; None for anything else."""
    half, _, rest = module.removeprefix("attar.").partition(".")
    if not module.startswith("attar.") or half not in ("pipeline", "runtime"):
        return None
    spec = find_spec(f"attar.{half}")
    assert spec is not None and spec.origin is not None  # both halves are always installed
    place = Path(spec.origin).parent.joinpath(*rest.split(".")) if rest else Path(spec.origin).parent
    candidates = (place.with_suffix(".py"), place / "__init__.py") if rest else (place / "__init__.py",)
    return next((file for file in candidates if file.is_file()), None)
