"""Which constructs of Jinja an author may use: everything that is not named here is refused before it is compiled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

from jinja2 import nodes

from bot.authoring.filters import FILTERS, FUNCTIONS, TESTS
from bot.authoring.problems import did_you_mean

MAX_PARTS = 2_000
MAX_NESTING = 40
CALLED = "()"

METHODS = frozenset(
    [
        "lower",
        "upper",
        "strip",
        "startswith",
        "endswith",
        "title",
        "capitalize",
        "get",
        "items",
        "keys",
        "values",
        "isoformat",
    ]
)

_PLAIN = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Const,
    nodes.Tuple,
    nodes.List,
    nodes.Dict,
    nodes.Pair,
    nodes.Getattr,
    nodes.Getitem,
    nodes.Slice,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Add,
    nodes.Sub,
    nodes.Mul,
    nodes.Div,
    nodes.FloorDiv,
    nodes.Mod,
    nodes.Pow,
    nodes.Neg,
    nodes.Pos,
    nodes.Concat,
    nodes.CondExpr,
    nodes.Keyword,
    nodes.If,
)
_RESERVED = frozenset({"self", "super", "caller", "varargs", "kwargs", "loop"})
_SAID: Mapping[type[nodes.Node], str] = {
    nodes.Assign: "«set» is not allowed: write the expression where it is used",
    nodes.AssignBlock: "«set» is not allowed: write the expression where it is used",
    nodes.Macro: "macros are not allowed",
    nodes.CallBlock: "macros are not allowed",
    nodes.FilterBlock: "«filter» blocks are not allowed: use | on the value",
    nodes.With: "«with» is not allowed: write the expression where it is used",
    nodes.Include: "a template cannot include another",
    nodes.Import: "a template cannot import another",
    nodes.FromImport: "a template cannot import another",
    nodes.Extends: "a template cannot extend another",
    nodes.Block: "blocks are not allowed",
}


class NotAllowed(ValueError):
    """A construct that is refused; the message is for a person."""

    def __init__(self, message: str, hint: str = "", line: int = 1) -> None:
        super().__init__(message)
        self.hint = hint
        self.line = line


def check(tree: nodes.Node) -> None:
    """Raise `NotAllowed` at the first construct an author may not use."""
    parts = 0
    stack: list[tuple[nodes.Node, int, int]] = [(tree, 0, 0)]
    while stack:
        node, depth, loops = stack.pop()
        parts += 1
        if parts > MAX_PARTS:
            raise NotAllowed(f"this has more than {MAX_PARTS:,} parts")
        if depth > MAX_NESTING:
            raise NotAllowed("this is nested too deeply", line=node.lineno)
        _check_node(node, loops)
        inner = loops + isinstance(node, nodes.For)
        stack.extend((child, depth + 1, inner) for child in node.iter_child_nodes())


def _check_node(node: nodes.Node, loops: int) -> None:
    match node:
        case nodes.Name():
            _check_name(node, loops)
        case nodes.Filter():
            if node.name not in FILTERS:
                raise NotAllowed(f"there is no filter «{node.name}»", did_you_mean(node.name, FILTERS), node.lineno)
            _check_arguments(node)
        case nodes.Test():
            if node.name not in TESTS:
                raise NotAllowed(f"there is no test «{node.name}»", did_you_mean(node.name, TESTS), node.lineno)
            _check_arguments(node)
        case nodes.Call():
            _check_call(node)
        case nodes.For():
            if loops > 1:
                raise NotAllowed("loops may be nested once, not deeper", line=node.lineno)
            if node.recursive:
                raise NotAllowed("recursive loops are not allowed", line=node.lineno)
        case _ if type(node) not in _PLAIN:
            said = _SAID.get(type(node), f"«{type(node).__name__.lower()}» is not allowed")
            raise NotAllowed(said, line=node.lineno)


def _check_name(node: nodes.Name, loops: int) -> None:
    if node.name == "loop" and node.ctx == "load" and loops:
        return
    if node.name.startswith("_") or node.name in _RESERVED:
        raise NotAllowed(f"«{node.name}» cannot be used as a name", line=node.lineno)


def _check_call(node: nodes.Call) -> None:
    _check_arguments(node)
    match node.node:
        case nodes.Name(name=name):
            if name not in FUNCTIONS:
                known = did_you_mean(name, FUNCTIONS)
                raise NotAllowed(f"there is no function «{name}»", known, node.lineno)
        case nodes.Getattr(attr=attr):
            if attr not in METHODS:
                raise NotAllowed(f"«.{attr}()» cannot be called", did_you_mean(attr, METHODS), node.lineno)
        case _:
            raise NotAllowed("only functions and methods can be called by name", line=node.lineno)


def _check_arguments(node: nodes.Filter | nodes.Test | nodes.Call) -> None:
    if node.dyn_args is not None or node.dyn_kwargs is not None:
        raise NotAllowed("arguments cannot be unpacked with «*»", line=node.lineno)


def free_names(tree: nodes.Node) -> frozenset[str]:
    """The names that are read and that no loop around them gives."""
    found: set[str] = set()
    stack: list[tuple[nodes.Node, frozenset[str]]] = [(tree, frozenset())]
    while stack:
        node, given = stack.pop()
        match node:
            case nodes.Name():
                if node.ctx == "load" and node.name not in given:
                    found.add(node.name)
            case nodes.For():
                inner = (
                    given | {each.name for each in node.target.find_all(nodes.Name)} | _named(node.target) | {"loop"}
                )
                stack += [(node.iter, given), *((each, given) for each in node.else_)]
                stack += [(each, inner) for each in (*node.body, *([node.test] if node.test is not None else []))]
            case _:
                stack += [(each, given) for each in node.iter_child_nodes()]
    return frozenset(found) - FUNCTIONS.keys()


def _named(target: nodes.Node) -> set[str]:
    return {target.name} if isinstance(target, nodes.Name) else set()


def read_inputs(tree: nodes.Node) -> frozenset[str]:
    """What is read as `inputs.name`."""
    own = (each for each in _all(tree) if isinstance(each, nodes.Getattr))
    return frozenset(each.attr for each in own if isinstance(each.node, nodes.Name) and each.node.name == "inputs")


def bound_work(tree: nodes.Template) -> None:
    """Rewrite the tree so that every loop and filter pays for the items it goes through, `~` is bounded, numbers with
    a point are exact, and a method is one only where it is called."""
    for node in list(_all(tree)):
        match node:
            case nodes.For():
                node.iter = _paid(cast(nodes.Expr, node.iter), 1 + sum(1 for _ in _all(node)))
            case nodes.Filter(node=nodes.Expr() as inner):
                node.node = _paid(inner, 1)
            case nodes.Call(node=nodes.Getattr() as method):
                method.attr = CALLED + method.attr
    _rewrite(tree)


def _paid(node: nodes.Expr, price: int) -> nodes.Filter:
    return nodes.Filter(node, "_paid", [nodes.Const(price)], [], None, None, lineno=node.lineno)


def _rewrite(node: nodes.Node) -> None:
    for name, value in node.iter_fields():
        if isinstance(value, list):
            setattr(node, name, [_rewritten(item) for item in value])
        else:
            setattr(node, name, _rewritten(value))
    for child in node.iter_child_nodes():
        _rewrite(child)


def _rewritten(value: object) -> object:
    match value:
        case nodes.Concat(nodes=[first, *rest]):
            return nodes.Filter(first, "concat", rest, [], None, None, lineno=value.lineno)
        case nodes.Const(value=float()):
            return nodes.Filter(nodes.Const(repr(value.value)), "decimal", [], [], None, None, lineno=value.lineno)
        case _:
            return value


def _all(tree: nodes.Node) -> Iterator[nodes.Node]:
    yield tree
    for child in tree.iter_child_nodes():
        yield from _all(child)
