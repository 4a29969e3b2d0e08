"""From a spec as written to a spec with values, over the scope of a run; used before a step is looked at or done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from bot.authoring.marks import How, changed
from bot.authoring.reading import Path, spelled
from bot.authoring.templates import TemplateError, UndefinedFact, compile_expression, compile_template
from bot.errors import Mistake
from bot.steps.base import Spec, StepKind
from bot.steps.sql_bind import names

SQL = "sql"


def render_spec(kind: StepKind, spec: Mapping[str, Any], scope: Mapping[str, Any]) -> Spec:
    """The kind's spec with every template and expression replaced by its value over the scope.

    Statements are never rendered; each `:name` in one that `bind` does not mention is bound to the scope's name. Raises
    `UndefinedFact` when something is not known yet, `EmptyFact` when a text needs a value that is null, and
    `TemplateError` when a value does not fit.
    """

    def value(how: How, text: str, path: Path) -> Any:
        try:
            if how == "template":
                return compile_template(text).render(scope, nulls=False)
            return compile_expression(text).evaluate(scope)
        except TemplateError as error:
            if how == "possibly" and isinstance(error, UndefinedFact):
                return None
            raise type(error)(f"{spelled(path)}: {error}", hint=error.hint, line=error.line) from error

    rendered = changed(kind.spec, spec, value)
    if kind.name == SQL:
        rendered["bind"] = _bound(kind, rendered, scope)
    try:
        return kind.spec.model_validate(rendered)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        said = first["msg"].removeprefix("Value error, ")
        raise TemplateError(f"{place}: {said}" if place else said) from error


def statement_names(kind: StepKind, spec: Mapping[str, Any]) -> tuple[str, ...]:
    """Every `:name` in the statement, or in the statements, of a sql step."""
    query = spec.get(kind.shorthand)
    if not isinstance(query, str | list | tuple) or not all(isinstance(each, str) for each in query):
        return ()
    try:
        return names(query)
    except Mistake:
        return ()  # unreadable SQL is the kind's to say


def _bound(kind: StepKind, rendered: Mapping[str, Any], scope: Mapping[str, Any]) -> dict[str, Any]:
    bind = dict(rendered.get("bind") or {})
    for name in statement_names(kind, rendered):
        if name in bind:
            continue
        if name not in scope:
            raise UndefinedFact(f"bind: «:{name}» is not known.")
        bind[name] = scope[name]
    return bind
