"""The `secret` kind: whether a secret is set, looks right, is the same as its twin and is accepted; never its value."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Iterable
from datetime import timedelta
from time import perf_counter
from typing import Annotated, Any, ClassVar

import aiohttp
from pydantic import BaseModel, ConfigDict

from bot.domain.facts import Fact, FactStatus
from bot.domain.runbook import Effect, Section
from bot.domain.system import System
from bot.errors import BotError, Misconfigured, Mistake
from bot.steps.base import TEMPLATE, Complaint, Look, Spec, StepContext
from bot.steps.passive import Passive

REFUSING = frozenset({401, 403})
SHORTEST_DIGEST = 12


class AcceptedBy(BaseModel):
    """Who is asked whether the secret is accepted: a GET of `path` on `service`, the secret in `header` after
    `prefix`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    service: str
    path: str = "/"
    header: str = "Authorization"
    prefix: str = "Bearer "


class SecretSpec(Spec):
    """`name` is one of the system's secrets; `same_as` another one that has to be the same, `digest` the SHA-256 in hex
    (or at least its first 12 digits) of what it has to be, as hosting platforms tell it of the secrets they keep,
    `begins` what it has to begin with, `accepted_by` who has to accept it."""

    name: str
    same_as: str | None = None
    digest: Annotated[str | None, TEMPLATE] = None
    begins: str | None = None
    accepted_by: AcceptedBy | None = None


class Secret(Passive):
    """Compares and tries; the value stays where it is, and so does its length."""

    name: ClassVar[str] = "secret"
    spec: ClassVar[type[Spec]] = SecretSpec
    shorthand: ClassVar[str] = "name"
    sections: ClassVar[frozenset[Section]] = frozenset({Section.CHECKS})
    repeatable: ClassVar[bool] = True

    def effect(self, spec: SecretSpec, section: Section) -> Effect:
        """It only looks."""
        return Effect.READ

    def lint(self, spec: SecretSpec, section: Section, system: System) -> Iterable[Complaint]:
        """Known secrets, a twin that is another one, a known service."""
        known = ", ".join(sorted(system.secrets)) or "none: add one to the system's file"
        name, twin = getattr(spec, "name", ""), getattr(spec, "same_as", None)
        for field, said in (("name", name), ("same_as", twin)):
            if said is not None and said not in system.secrets:
                yield Complaint(f"There is no secret «{said}».", field, f"Known: {known}.")
        if twin is not None and twin == name:
            yield Complaint("A secret is always the same as itself.", "same_as")
        if twin is not None and getattr(spec, "digest", None) is not None:
            yield Complaint("Say either `same_as` or `digest`.", "digest")
        asked = getattr(spec, "accepted_by", None)
        if asked is not None and asked.service not in system.services:
            yield Complaint(f"There is no service «{asked.service}».", "accepted_by.service")
        if asked is not None and not asked.path.startswith("/"):
            yield Complaint("A path begins with /; the service knows its address.", "accepted_by.path")

    async def look(self, spec: SecretSpec, context: StepContext) -> Look:
        """set, begins_right, same and accepted (each null when it was not asked or nothing can tell) as a fact."""
        started = perf_counter()
        try:
            value = _value_of(spec.name, context)
            twin = None if spec.same_as is None else _value_of(spec.same_as, context)
            accepted = None if spec.accepted_by is None or not value else await _accepted(value, spec, context)
        except BotError as refused:
            return _failed(context.targets.redact(refused.sentence), started)
        except TimeoutError:
            return _failed(f"Whether «{spec.name}» is accepted was not answered in time.", started)
        except (aiohttp.ClientError, OSError):
            return _failed(f"Who accepts «{spec.name}» cannot be reached.", started)
        fact: dict[str, Any] = {
            "set": bool(value),
            "begins_right": None if spec.begins is None or not value else value.startswith(spec.begins),
            "same": _compared(value, twin, spec.digest),
            "accepted": accepted,
        }
        duration = timedelta(seconds=perf_counter() - started)
        return Fact(FactStatus.DONE, fact, summary=_said(fact), duration=duration)


def _value_of(name: str, context: StepContext) -> str:
    """The value, "" when it is not set. Raises Mistake for a name the system does not have."""
    ref = context.system.secrets.get(name)
    if ref is None:
        raise Mistake(f"There is no secret «{name}».")
    try:
        return context.targets.resolve(ref)
    except Misconfigured:
        return ""


def _compared(value: str, twin: str | None, digest: str | None) -> bool | None:
    """Whether the value is what it has to be; None when nothing says what that is."""
    if digest is not None:
        begins = digest.strip().lower()
        own = hashlib.sha256(value.encode()).hexdigest()[: len(begins)]
        return bool(value) and len(begins) >= SHORTEST_DIGEST and _same(own, begins)
    return None if twin is None else bool(value) and bool(twin) and _same(value, twin)


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


async def _accepted(value: str, spec: SecretSpec, context: StepContext) -> bool | None:
    """Whether the service takes it; None when its answer says nothing about that. Raises Mistake for a secret that no
    header can hold."""
    asked = spec.accepted_by
    assert asked is not None
    if any(mark in value for mark in "\r\n\x00"):
        raise Mistake(f"«{spec.name}» holds a line break: it was set with one too many.")
    service = context.targets.service(context.system, asked.service)
    headers = {name: said for name, said in service.headers.items() if name.lower() != asked.header.lower()}
    async with (
        asyncio.timeout(context.timeout.total_seconds()),
        context.targets.session.get(
            f"{service.base}/{asked.path.lstrip('/')}",
            headers={**headers, asked.header: f"{asked.prefix}{value}"},
            allow_redirects=False,
        ) as response,
    ):
        if response.status in REFUSING:
            return False
        return True if response.status < 300 else None


def _said(fact: dict[str, Any]) -> str:
    if not fact["set"]:
        return "not set"
    words = {
        "begins_right": ("begins as it should", "begins with something else"),
        "same": ("the same", "not the same"),
        "accepted": ("accepted", "refused"),
    }
    return ", ".join(
        ["set", *(yes if fact[name] else no for name, (yes, no) in words.items() if fact[name] is not None)]
    )


def _failed(error: str, started: float) -> Fact:
    return Fact(FactStatus.FAILED, error=error, duration=timedelta(seconds=perf_counter() - started))
