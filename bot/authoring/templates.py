"""Expressions and templates over facts: sandboxed, strict about what is missing, without effects, bounded."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, NoReturn, TypeVar

from jinja2 import Template as JinjaTemplate
from jinja2 import TemplateError as JinjaError
from jinja2 import TemplateSyntaxError, UndefinedError, nodes, pass_context
from jinja2.parser import Parser
from jinja2.runtime import Context, LoopContext, StrictUndefined, Undefined
from jinja2.sandbox import SandboxedEnvironment

from bot.authoring import filters, values
from bot.authoring.grammar import CALLED, NotAllowed, bound_work, check, free_names, read_inputs
from bot.authoring.values import MAX_TEXT, Unfit
from bot.errors import BotError

_T = TypeVar("_T")

MAX_TEMPLATE = 20_000
MAX_EXPRESSION = 4_000
MAX_WORK = 200_000


class TemplateError(BotError):
    """An expression or template that cannot be compiled or judged; `line` counts from 1 inside its text."""

    def __init__(self, sentence: str, *, hint: str = "", line: int = 1) -> None:
        super().__init__(sentence, hint=hint)
        self.line = line


class UndefinedFact(TemplateError):
    """It reads a fact that is not there, or not there yet."""


class EmptyFact(UndefinedFact):
    """It puts a value that is null where a value is needed."""


@dataclass(slots=True)
class _Limits:
    """What one evaluation may still spend, and whether null may be written into its text."""

    work: int = MAX_WORK
    nulls: bool = True


class _Missing(StrictUndefined):
    """A name or a field that is not there: any use of it fails with words that name it."""

    @property
    def _undefined_message(self) -> str:
        if self._undefined_hint:
            return self._undefined_hint
        if self._undefined_obj is _MISSING_OBJECT:
            return f"«{self._undefined_name}» is not known"
        return f"there is no «{self._undefined_name}» in what it looks at"

    def _fail_with_undefined_error(self, *_: Any, **__: Any) -> NoReturn:
        raise self._undefined_exception(self._undefined_message)

    __eq__ = __ne__ = __hash__ = _fail_with_undefined_error
    __iter__ = __str__ = __len__ = __bool__ = __contains__ = _fail_with_undefined_error


_MISSING_OBJECT: Any = Undefined(name="x")._undefined_obj

_METHODS: Mapping[type, frozenset[str]] = {
    str: frozenset(["lower", "upper", "strip", "startswith", "endswith", "title", "capitalize"]),
    dict: frozenset({"get", "items", "keys", "values"}),
    datetime: frozenset({"isoformat"}),
    date: frozenset({"isoformat"}),
}
_ATTRIBUTES: Mapping[type, frozenset[str]] = {
    datetime: frozenset(["year", "month", "day", "hour", "minute", "second"]),
    date: frozenset(["year", "month", "day"]),
    timedelta: frozenset({"days", "seconds"}),
    LoopContext: frozenset(["index", "index0", "first", "last", "length"]),
}


class _Sandbox(SandboxedEnvironment):
    """Jinja with nothing in it but `bot.authoring.filters`, and fields of records before anything else."""

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%", "**"})

    def __init__(self) -> None:
        super().__init__(
            undefined=_Missing,
            finalize=_finalize,
            autoescape=False,
            optimized=False,
            trim_blocks=True,
            lstrip_blocks=True,
            cache_size=0,
        )
        self.filters = {**filters.FILTERS, "_paid": _paid}
        self.tests = dict(filters.TESTS)
        self.globals = dict(filters.FUNCTIONS)
        self._callable = frozenset(map(id, filters.FUNCTIONS.values()))

    def getattr(self, obj: Any, attribute: str) -> Any:
        """A field of a record, else one of the few attributes that are safe, else undefined."""
        if isinstance(obj, Undefined):
            bool(obj)  # raises: strict
        name = attribute.removeprefix(CALLED)
        if isinstance(obj, Mapping) and name in obj:
            return obj[name]
        allowed = _METHODS if name != attribute else _ATTRIBUTES
        if name in allowed.get(type(obj), ()):
            return getattr(obj, name)
        return self.undefined(obj=obj, name=name)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """A field of a record or an item of a list by number; never an attribute."""
        if isinstance(obj, Undefined):
            bool(obj)  # raises: strict
        if isinstance(obj, Mapping) or (isinstance(obj, list | tuple | str) and isinstance(argument, int | slice)):
            try:
                return obj[argument]
            except (LookupError, TypeError):
                return self.undefined(obj=obj, name=str(argument)[:60])
        return self.undefined(obj=obj, name=str(argument)[:60])

    def is_safe_callable(self, obj: Any) -> bool:
        """Our functions, and the named methods of plain values."""
        if id(obj) in self._callable:
            return True
        name, owner = getattr(obj, "__name__", ""), getattr(obj, "__self__", None)
        return name in _METHODS.get(type(owner), ())

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Arithmetic that cannot grow without bound."""
        return _arithmetic(operator, left, right)


def _arithmetic(sign: str, left: Any, right: Any) -> Any:
    for side in (left, right):
        if isinstance(side, Undefined):
            bool(side)  # raises: strict
    if isinstance(left, str) and isinstance(right, str) and sign == "+":
        return values.bounded_text(left + right)
    if isinstance(left, list) and isinstance(right, list) and sign == "+":
        return values.sequence([*left, *right])
    if isinstance(left, datetime | timedelta | date) or isinstance(right, datetime | timedelta | date):
        if sign in "+-*/":
            return _OPERATORS[sign](left, right)
        raise Unfit(f"«{sign}» is not for times")
    left, right = _number(left), _number(right)
    if isinstance(left, Decimal) != isinstance(right, Decimal):
        left, right = Decimal(str(left)), Decimal(str(right))
    if sign == "**" and (abs(right) > 20 or abs(left) > 1_000):
        raise Unfit("the power is too large")
    return values.bounded_number(_OPERATORS[sign](left, right))


def _number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise Unfit(f"«{filters.short(values.text_of(value), 40)}» is not a number")
    return values.bounded_number(value)


_OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "**": operator.pow,
}


@pass_context
def _finalize(context: Context, value: Any) -> str:
    if value is None and not context["_limits"].nulls:
        raise _NullValue
    return values.text_of(value)


@pass_context
def _paid(context: Context, value: Any, price: int) -> Any:
    """The value, after its length times `price` is taken off what may still be spent."""
    size = len(value) if isinstance(value, str | list | tuple | Mapping) else 1
    if isinstance(value, str):
        size = 1 + size // 100
    context["_limits"].work -= size * max(1, price)
    if context["_limits"].work < 0:
        raise Unfit("it goes through too many items")
    return value


class _NullValue(Exception):
    """A null where a value has to be written."""


_ENVIRONMENT = _Sandbox()


def _settled(value: Any) -> Any:
    """The value as plain data, with nothing undefined left in it."""
    match value:
        case Undefined():
            return bool(value)  # raises: strict
        case dict():
            return {key: _settled(item) for key, item in value.items()}
        case list() | tuple():
            return [_settled(item) for item in value]
        case int() | Decimal():
            return values.bounded_number(value)
        case _:
            return value


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression that was checked. `names` are the top-level names it reads, `inputs` what it reads as
    `inputs.name`."""

    text: str
    names: frozenset[str]
    inputs: frozenset[str]

    def evaluate(self, scope: Mapping[str, Any]) -> Any:
        """Its value over a scope. Raises `UndefinedFact` for what is not there and `TemplateError` otherwise."""
        code = _expression_code(self.text)
        context = code.new_context({**scope, "_limits": _Limits()})
        _run(self.text, lambda: _drain(code, context))
        return _run(self.text, lambda: _settled(context.vars["_result"]))


@dataclass(frozen=True, slots=True)
class Template:
    """A template that was checked. `names` are the top-level names it reads, `inputs` what it reads as
    `inputs.name`."""

    text: str
    names: frozenset[str]
    inputs: frozenset[str]

    def render(self, scope: Mapping[str, Any], *, nulls: bool = True) -> str:
        """Its text over a scope, at most 20,000 characters.

        A null reads "empty"; with `nulls=False` it raises `EmptyFact`, for text that becomes a value. Raises
        `UndefinedFact` for what is not there and `TemplateError` otherwise.
        """
        code = _template_code(self.text)
        context = code.new_context({**scope, "_limits": _Limits(nulls=nulls)})
        return _run(self.text, lambda: _drain(code, context))


# Checking is what loading a catalogue needs of thousands of texts; code is made of the few that a run comes to.


@lru_cache(maxsize=8_192)
def compile_expression(text: str) -> Expression:
    """The expression in the text. Raises `TemplateError` with a sentence and a hint."""
    tree = _expression_tree(text)
    return Expression(text, free_names(tree), read_inputs(tree))


@lru_cache(maxsize=8_192)
def compile_template(text: str) -> Template:
    """The template in the text. Raises `TemplateError` with a sentence and a hint."""
    tree = _template_tree(text)
    return Template(text, free_names(tree), read_inputs(tree))


@lru_cache(maxsize=4_096)
def _expression_code(text: str) -> JinjaTemplate:
    tree = _expression_tree(text)
    body = tree.body[0]
    assert isinstance(body, nodes.Output)
    tree.body = [nodes.Assign(nodes.Name("_result", "store", lineno=1), body.nodes[0], lineno=1)]
    tree.set_environment(_ENVIRONMENT)
    return _code(text, tree)


@lru_cache(maxsize=4_096)
def _template_code(text: str) -> JinjaTemplate:
    return _code(text, _template_tree(text))


def _expression_tree(text: str) -> nodes.Template:
    _bearable(text, MAX_EXPRESSION)

    def parsed() -> nodes.Template:
        parser = Parser(_ENVIRONMENT, text, state="variable")
        tree = parser.parse_expression()
        if not parser.stream.eos:
            raise NotAllowed(f"«{parser.stream.current.value}» is not expected here", _habit(text))
        made = nodes.Template([nodes.Output([tree], lineno=1)], lineno=1)
        made.set_environment(_ENVIRONMENT)
        return made

    return _checked(text, parsed)


def _template_tree(text: str) -> nodes.Template:
    _bearable(text, MAX_TEMPLATE)
    return _checked(text, lambda: _ENVIRONMENT.parse(text))


def _bearable(text: str, limit: int) -> None:
    if len(text) > limit:
        raise TemplateError(f"This is longer than {limit:,} characters.")
    if limit == MAX_EXPRESSION and not text.strip():
        raise TemplateError("The expression is empty.")
    if limit == MAX_EXPRESSION and text.lstrip().startswith(("{{", "{%")):
        raise TemplateError("This is an expression, not a template.", hint="Leave out the braces.")


def _checked(text: str, parse: Callable[[], nodes.Template]) -> nodes.Template:
    """The tree, with nothing in it that is refused. Raises `TemplateError`."""
    try:
        tree = parse()
        check(tree)
    except NotAllowed as error:
        raise TemplateError(f"In «{_excerpt(text)}»: {error}.", hint=error.hint, line=error.line) from error
    except TemplateSyntaxError as error:
        said = (error.message or "something is wrong").rstrip(".")
        raise TemplateError(f"In «{_excerpt(text)}»: {said}.", hint=_habit(text), line=error.lineno) from error
    except (RecursionError, ValueError, JinjaError) as error:
        raise TemplateError(f"«{_excerpt(text)}» is too complicated.") from error
    return tree


def _code(text: str, tree: nodes.Template) -> JinjaTemplate:
    """The code that pays for what it does."""
    try:
        bound_work(tree)
        return _ENVIRONMENT.from_string(tree)
    except (SyntaxError, RecursionError, MemoryError, ValueError, JinjaError) as error:
        raise TemplateError(f"«{_excerpt(text)}» is too complicated.") from error


def _habit(text: str) -> str:
    """A hint for what people bring along from other languages."""
    for foreign, ours in (("&&", "and"), ("||", "or"), ("===", "=="), ("<>", "!="), ("!", "not"), (" = ", " == ")):
        if foreign in text and not (foreign == "!" and "!=" in text):
            return f"Write «{ours.strip()}» in place of «{foreign.strip()}»."
    return ""


def _drain(code: JinjaTemplate, context: Context) -> str:
    pieces, size = [], 0
    for piece in code.root_render_func(context):
        size += len(piece)
        if size > MAX_TEXT:
            raise Unfit(f"the text is longer than {MAX_TEXT:,} characters")
        pieces.append(piece)
    return "".join(pieces)


def _run(text: str, work: Callable[[], _T]) -> _T:
    """Do the work, turning whatever values can do to it into one of our errors."""
    try:
        return work()
    except UndefinedError as error:
        raise UndefinedFact(f"In «{_excerpt(text)}»: {error}.") from error
    except _NullValue as error:
        raise EmptyFact(f"«{_excerpt(text)}» is empty, and a value is needed here.") from error
    except Unfit as error:
        raise TemplateError(f"In «{_excerpt(text)}»: {error}.") from error
    except ZeroDivisionError as error:
        raise TemplateError(f"In «{_excerpt(text)}»: a division by zero.") from error
    except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
        raise TemplateError(f"In «{_excerpt(text)}» values do not fit together: {str(error)[:200]}.") from error
    except (RecursionError, MemoryError, JinjaError) as error:
        raise TemplateError(f"«{_excerpt(text)}» cannot be judged: {str(error)[:200]}.") from error


def _excerpt(text: str) -> str:
    return filters.short(text[:400], 80)
