"""What is written below each setting in `sections`: the comments of `config.toml`.

pydantic would read the source for them whenever Obra starts; here it is read when somebody wants the words.
"""

import ast
import functools
import inspect
from collections.abc import Iterator, Mapping
from itertools import pairwise

from obra_tui.config import schema


def words_of(model: type, name: str) -> str:
    """Return what is said of a setting, as one line; empty when nothing is."""
    return " ".join(_words().get(model.__name__, {}).get(name, "").split())


@functools.cache
def _words() -> Mapping[str, Mapping[str, str]]:
    classes = (node for node in ast.parse(inspect.getsource(schema)).body if isinstance(node, ast.ClassDef))
    return {node.name: dict(_below_each(node.body)) for node in classes}


def _below_each(body: list[ast.stmt]) -> Iterator[tuple[str, str]]:
    for field, below in pairwise(body):
        match field, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                yield name, text
