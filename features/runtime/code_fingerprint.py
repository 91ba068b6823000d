"""Fingerprint code without its comments, docstrings and layout."""

from __future__ import annotations

import ast
import hashlib
import sys
from collections.abc import Iterable
from pathlib import Path


def code_fingerprint(root: Path, paths: Iterable[Path]) -> str:
    """Return a SHA-256 over the syntax of Python files and their paths below `root`.

    The order of `paths` doesn't matter. Python's minor version is part of the fingerprint, because
    another version may parse the same text to another syntax tree.
    """
    digest = hashlib.sha256(f"Python {sys.version_info.major}.{sys.version_info.minor}\n".encode())
    for path in sorted(paths):
        syntax = dump_syntax(path.read_text(encoding="utf-8")).encode()
        digest.update(f"{path.relative_to(root).as_posix()} {len(syntax)}\n".encode())
        digest.update(syntax)
    return digest.hexdigest()


def dump_syntax(source: str) -> str:
    """Return the syntax tree of a module as text, without docstrings.

    Any statement that is only a string has no effect, so it counts as a docstring.

    Raises:
        SyntaxError: `source` isn't Python.
    """
    return ast.dump(_DocstringRemover().visit(ast.parse(source)))


class _DocstringRemover(ast.NodeTransformer):
    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            return None
        return node
