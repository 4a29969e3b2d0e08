"""Requests for approval, votes, effects and target locks in the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.approval import ApprovalRequest, Choice, Person, RequestState, Vote
from bot.domain.change import EffectKey, Preview, Receipt, rows_to_say
from bot.domain.facts import from_json, to_json
from bot.domain.policy import ApprovalPolicy, StepUp
from bot.store import tables
from bot.store.codec import once, pack, unpack
from bot.store.session import Transaction


@dataclass(frozen=True, slots=True)
class Asked:
    """What would be done for one action: the rendered spec that is carried out, the preview that was shown, the digest
    of both, and what it was made of, as JSON data (None for what an earlier release asked)."""

    digest: str
    spec: Mapping[str, Any]
    preview: Preview
    bound: Any = None


@dataclass(frozen=True, slots=True)
class StoredRequest:
    """A request with what would be done, action by action; `stale` says why it is to be shown anew."""

    request: ApprovalRequest
    parts: Mapping[str, Asked]
    stale: str = ""

    @property
    def first(self) -> Asked:
        """What would be done first."""
        return self.parts[self.request.action]

    @property
    def rows_to_say(self) -> int | None:
        """How many rows whoever approves it has to say that it changes, if that many."""
        return rows_to_say(part.preview for part in self.parts.values())


@dataclass(frozen=True, slots=True)
class StoredEffect:
    """An effect whose intent was recorded; `receipt` is there once it is known to have happened."""

    key: str
    action: str
    spec: Mapping[str, Any]
    state: str
    receipt: Receipt | None


@dataclass(frozen=True, slots=True)
class FiledRequest:
    """A request as records keep it: `decided_at` and `reason` are of its last decision, `votes` in the order they came,
    `run_number` is what people call the run, `policy` is the policy as it is stored, in JSON data."""

    stored: StoredRequest
    run_number: int
    decided_at: datetime | None
    reason: str
    votes: tuple[Vote, ...]
    policy: Any = None

    @property
    def request(self) -> ApprovalRequest:
        """The request itself."""
        return self.stored.request


@dataclass(frozen=True, slots=True)
class FiledEffect:
    """An effect with its times; `ended_at` is None while nobody knows how it ended."""

    effect: StoredEffect
    intended_at: datetime
    ended_at: datetime | None


_OPEN = (RequestState.PENDING, RequestState.APPROVED)


async def insert(tx: Transaction, stored: StoredRequest) -> None:
    """Store a new request."""
    request = stored.request
    await tx.connection.execute(
        tables.approvals.insert().values(
            id=request.id,
            run_id=request.run,
            action=request.action,
            digest=request.digest,
            policy=pack(request.policy),
            parts=[
                {
                    "action": action,
                    "digest": part.digest,
                    "spec": to_json(part.spec),
                    "preview": pack(part.preview),
                    "bound": part.bound,
                }
                for action, part in stored.parts.items()
            ],
            target=request.target,
            opens_at=request.opens_at,
            closes_at=request.closes_at,
            askers=list(request.askers),
            requested_by=request.requested_by,
            requested_at=request.requested_at,
            expires_at=request.expires_at,
            state=request.state,
        )
    )


async def get(connection: AsyncConnection, request_id: str, *, lock: bool = False) -> StoredRequest | None:
    """The request with this id, locked until the transaction ends when asked."""
    query = select(tables.approvals).where(tables.approvals.c.id == request_id)
    row = (await connection.execute(query.with_for_update() if lock else query)).one_or_none()
    return None if row is None else _stored(row)


async def latest(connection: AsyncConnection, run_id: str) -> Mapping[str, StoredRequest]:
    """The newest request of each action of a run."""
    query = select(tables.approvals).where(tables.approvals.c.run_id == run_id)
    rows = await connection.execute(query.order_by(tables.approvals.c.requested_at))
    return {action: stored for stored in map(_stored, rows) for action in stored.parts}


async def pending(connection: AsyncConnection, limit: int = 100) -> Sequence[StoredRequest]:
    """Requests that wait for votes, oldest first."""
    query = select(tables.approvals).where(tables.approvals.c.state == RequestState.PENDING)
    rows = await connection.execute(query.order_by(tables.approvals.c.requested_at).limit(limit))
    return [_stored(row) for row in rows]


async def filed(
    connection: AsyncConnection,
    *,
    run_id: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Sequence[FiledRequest]:
    """Every request ever made for a run, or from `since` on and before `until`, oldest first."""
    wanted = []
    if run_id is not None:
        wanted.append(tables.approvals.c.run_id == run_id)
    if since is not None:
        wanted.append(tables.approvals.c.requested_at >= since)
    if until is not None:
        wanted.append(tables.approvals.c.requested_at < until)
    cast: dict[str, list[Vote]] = {}
    joined = select(tables.votes).join(tables.approvals).where(*wanted).order_by(tables.votes.c.id)
    for row in await connection.execute(joined):
        cast.setdefault(row.request_id, []).append(_vote(row))
    query = select(tables.approvals, tables.runs.c.number).join(tables.runs).where(*wanted)
    rows = await connection.execute(query.order_by(tables.approvals.c.requested_at, tables.approvals.c.id))
    return [
        FiledRequest(_stored(row), row.number, row.decided_at, row.reason, tuple(cast.get(row.id, ())), row.policy)
        for row in rows
    ]


async def decide(tx: Transaction, request_id: str, state: RequestState, reason: str = "") -> bool:
    """Give a pending request its final state; False when it had one: the first decision wins."""
    pending_one = (tables.approvals.c.id == request_id) & (tables.approvals.c.state == RequestState.PENDING)
    query = update(tables.approvals).where(pending_one).values(state=state, decided_at=tx.now, reason=reason)
    return bool((await tx.connection.execute(query)).rowcount)


async def void(tx: Transaction, request_id: str, reason: str) -> None:
    """Void a request, also one that was approved: what it approved is not what would be done."""
    query = update(tables.approvals).where(tables.approvals.c.id == request_id)
    await tx.connection.execute(query.values(state=RequestState.VOIDED, decided_at=tx.now, reason=reason))


async def outdate(tx: Transaction, target: str, run_id: str, reason: str) -> Sequence[str]:
    """Mark what waits for approval on a target in other runs as seen before somebody acted there; those runs' ids."""
    box = tables.approvals
    open_there = (box.c.target == target) & (box.c.run_id != run_id) & box.c.state.in_(_OPEN)
    query = update(box).where(open_there).values(stale=reason).returning(box.c.run_id)
    return [str(run) for run in (await tx.connection.execute(query)).scalars()]


async def add_vote(tx: Transaction, request_id: str, vote: Vote) -> None:
    """Record a vote."""
    await tx.connection.execute(
        tables.votes.insert().values(
            request_id=request_id,
            person=pack(vote.person),
            choice=vote.choice,
            digest=vote.digest,
            reason=vote.reason,
            at=vote.at,
            proof=vote.proof,
        )
    )


async def votes(connection: AsyncConnection, request_id: str) -> tuple[Vote, ...]:
    """The votes on a request, in the order they came."""
    query = select(tables.votes).where(tables.votes.c.request_id == request_id).order_by(tables.votes.c.id)
    rows = await connection.execute(query)
    return tuple(map(_vote, rows))


def _vote(row: Any) -> Vote:
    return Vote(unpack(Person, row.person), Choice(row.choice), row.digest, row.at, row.reason, StepUp(row.proof))


# -- effects -----------------------------------------------------------------------------------------------------------

INTENDED, DONE, NOT_DONE, UNKNOWN, DENIED_BY_PERSON = "intended", "done", "not done", "unknown", "said not done"


async def intend(tx: Transaction, key: EffectKey, spec: Mapping[str, Any]) -> bool:
    """Record the intent before the effect; False when this very effect was intended before. What a person said had not
    happened is begun again under its own key, so that a target which knows better can say so."""
    values = {"key": str(key), "run_id": key.run, "action": key.action, "spec": to_json(spec), "state": INTENDED}
    query = upsert(tables.effects).values(**values, intended_at=tx.now)
    again = {"state": INTENDED, "intended_at": tx.now, "ended_at": None}
    query = query.on_conflict_do_update(
        index_elements=["key"], set_=again, where=tables.effects.c.state == DENIED_BY_PERSON
    )
    return bool((await tx.connection.execute(query)).rowcount)


async def attempts(connection: AsyncConnection, key: EffectKey) -> int:
    """How often this effect was tried and is known to have changed nothing."""
    tried = (tables.effects.c.run_id == key.run) & (tables.effects.c.action == key.action)
    query = select(tables.effects.c.key).where(tried, tables.effects.c.state == NOT_DONE)
    return sum(str(key) == each.partition("~")[0] for each in (await connection.execute(query)).scalars())


async def end_effect(tx: Transaction, key: str, state: str, receipt: Receipt | None = None) -> None:
    """Record how an effect ended."""
    values = {"state": state, "ended_at": tx.now, "receipt": None if receipt is None else pack(receipt)}
    await tx.connection.execute(update(tables.effects).where(tables.effects.c.key == key).values(values))


async def effects(connection: AsyncConnection, run_id: str) -> Mapping[str, StoredEffect]:
    """The newest effect of each action of a run."""
    query = select(tables.effects).where(tables.effects.c.run_id == run_id).order_by(tables.effects.c.intended_at)
    return {row.action: _effect(row) for row in await connection.execute(query)}


async def every_effect(connection: AsyncConnection, run_id: str) -> Sequence[FiledEffect]:
    """Every effect that was ever intended for a run, oldest first."""
    query = select(tables.effects).where(tables.effects.c.run_id == run_id)
    rows = await connection.execute(query.order_by(tables.effects.c.intended_at, tables.effects.c.key))
    return [FiledEffect(_effect(row), row.intended_at, row.ended_at) for row in rows]


def _effect(row: Any) -> StoredEffect:
    receipt = None if row.receipt is None else unpack(Receipt, row.receipt)
    return StoredEffect(row.key, row.action, once(row.spec, from_json), row.state, receipt)


# -- target locks ------------------------------------------------------------------------------------------------------


async def take_target(tx: Transaction, target: str, run_id: str, action: str) -> str | None:
    """Take the lock on a target; gives the id of the run that holds it instead, or None when it is ours now."""
    values = {"target": target, "run_id": run_id, "action": action, "taken_at": tx.now}
    await tx.connection.execute(upsert(tables.target_locks).values(values).on_conflict_do_nothing())
    query = select(tables.target_locks.c.run_id).where(tables.target_locks.c.target == target)
    holder = (await tx.connection.execute(query)).scalar_one()
    return None if str(holder) == run_id else str(holder)


async def release_targets(tx: Transaction, run_id: str) -> None:
    """Let go of every target a run holds."""
    await tx.connection.execute(tables.target_locks.delete().where(tables.target_locks.c.run_id == run_id))


def _parts(data: Any) -> Mapping[str, Asked]:
    return {
        each["action"]: Asked(
            each["digest"], from_json(each["spec"]), unpack(Preview, each["preview"]), each.get("bound")
        )
        for each in data
    }


def _stored(row: Any) -> StoredRequest:
    parts = once(row.parts, _parts)
    request = ApprovalRequest(
        id=row.id,
        run=str(row.run_id),
        action=row.action,
        digest=row.digest,
        policy=unpack(ApprovalPolicy, row.policy),
        requested_by=row.requested_by,
        requested_at=row.requested_at,
        expires_at=row.expires_at,
        state=RequestState(row.state),
        target=row.target,
        opens_at=row.opens_at,
        closes_at=row.closes_at,
        askers=tuple(row.askers),
        also=tuple(action for action in parts if action != row.action),
    )
    return StoredRequest(request, parts, row.stale)
