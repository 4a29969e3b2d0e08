"""From a case to the entries of its archive; pure, so that the same record always gives the same bytes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bot.domain.change import sha256_of
from bot.domain.events import Happened
from bot.domain.facts import to_json
from bot.evidence.case import Case, Part, Request
from bot.evidence.judged import judged
from bot.evidence.lines import as_json_line
from bot.evidence.words import readme, titles, transcript
from bot.slack.views.preview import request_text
from bot.slack.views.tables import as_csv
from bot.store.approvals import FiledEffect
from bot.store.codec import pack

_VOTES = ("request", "action", "digest", "person", "name", "choice", "proof", "reason", "at", "counted")


def entries(case: Case) -> dict[str, bytes]:
    """Every file of the archive by name, the manifest among them."""
    named = titles(case)
    previews = _previews(case, named)
    made = {
        "README.txt": _bytes(readme(case)),
        "transcript.md": _bytes(transcript(case)),
        "votes.csv": as_csv(_votes(case), _VOTES),
        "requests.json": _json([_request(each, named, previews[each.filed.request.id][0]) for each in case.requests]),
        "effects.json": _json([_effect(each) for each in case.effects]),
        "facts.json": _json([_fact(each.key, each.data, each.at.isoformat(), named) for each in case.facts]),
        "runbook.yaml": _bytes(case.documents.document if case.documents else ""),
        "system.yaml": _bytes(case.documents.system_document if case.documents else ""),
        "audit.jsonl": _bytes("".join(map(as_json_line, case.lines))),
        "chain.json": _json(chain(case)),
        **dict(previews.values()),
    }
    sums = {name: {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)} for name, data in made.items()}
    return {**made, "manifest.json": _json(sums)}


def chain(case: Case) -> dict[str, Any]:
    """How the whole trail stood."""
    head = case.chain.head
    return {
        "verified": case.chain.broken_at is None,
        "lines": case.chain.lines,
        "broken_at": case.chain.broken_at,
        "problem": case.chain.problem,
        "head": {"seq": head.seq, "hash": head.hash, "at": _time(head.at)},
        "lines_of_this_run": len(case.lines),
    }


def _previews(case: Case, named: Mapping[str, str]) -> dict[str, tuple[str, bytes]]:
    """Each request's preview as the approvers got it, with its file's name, by request."""
    made: dict[str, tuple[str, bytes]] = {}
    taken: dict[str, bytes] = {}
    for each in case.requests:
        request = each.filed.request
        titled = [
            (f"{case.run.runbook}: {named.get(part.action, part.action)}", part.asked.preview) for part in each.parts
        ]
        data = _bytes(request_text(titled, request.digest))
        safe = "".join(sign if sign.isascii() and (sign.isalnum() or sign in "-_") else "-" for sign in request.action)
        stem = f"previews/{safe[:60]}-{request.digest[:12]}"
        name, number = f"{stem}.txt", 1
        # Asked again, the same change has the same digest; what only decorates it may read differently.
        while taken.get(name, data) != data:
            number += 1
            name = f"{stem}-{number}.txt"
        taken[name] = data
        made[request.id] = (name, data)
    return made


def _votes(case: Case) -> list[dict[str, Any]]:
    rows = []
    for each in case.requests:
        request = each.filed.request
        about = {"request": request.id, "action": request.action}
        for one in judged(request, each.filed.votes):
            vote = one.vote
            who = {"person": vote.person.id, "name": vote.person.name or None, "choice": vote.choice}
            said = {"digest": vote.digest, "proof": vote.proof, "reason": vote.reason or None}
            rows.append(
                {
                    **about,
                    **who,
                    **said,
                    "at": vote.at.isoformat(),
                    "counted": f"no: {one.reason}" if one.reason else "yes",
                }
            )
    for line in case.lines:
        if line.kind == Happened.VOTE_REFUSED:
            told = {name: line.data.get(name) for name in ("request", "action", "digest", "choice")}
            counted = f"no: refused. {' '.join(map(str, line.data.get('reasons') or ()))}".strip()
            rows.append({**told, "person": line.actor, "at": line.at.isoformat(), "counted": counted})
    return sorted(rows, key=lambda row: (row["at"], str(row["request"]), row["person"]))


def _request(each: Request, named: Mapping[str, str], preview: str) -> dict[str, Any]:
    filed, request = each.filed, each.filed.request
    return {
        "id": request.id,
        "actions": list(request.actions),
        "state": request.state,
        "reason": filed.reason,
        "target": request.target,
        "asked_by": request.requested_by,
        "asked_at": request.requested_at.isoformat(),
        "expires_at": request.expires_at.isoformat(),
        "decided_at": _time(filed.decided_at),
        "opens_at": _time(request.opens_at),
        "closes_at": _time(request.closes_at),
        "policy": filed.policy,
        "preview": preview,
        "digest": request.digest,
        "digest_holds": each.holds,
        "material": each.material,
        "parts": [_part(part, named) for part in each.parts],
    }


def _part(part: Part, named: Mapping[str, str]) -> dict[str, Any]:
    return {
        "action": part.action,
        "title": named.get(part.action, part.action),
        "spec": to_json(part.asked.spec),
        "digest": part.asked.digest,
        "digest_holds": part.holds,
        "material": part.asked.bound,
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _effect(filed: FiledEffect) -> dict[str, Any]:
    effect = filed.effect
    return {
        "key": effect.key,
        "action": effect.action,
        "state": effect.state,
        "intended_at": filed.intended_at.isoformat(),
        "ended_at": _time(filed.ended_at),
        "spec": to_json(effect.spec),
        "receipt": None if effect.receipt is None else pack(effect.receipt),
    }


def _fact(key: str, data: Any, at: str, named: Mapping[str, str]) -> dict[str, Any]:
    return {"check": key, "title": named.get(key, key), "stored_at": at, "sha256": sha256_of(data), "fact": data}


def _json(data: Any) -> bytes:
    return _bytes(json.dumps(data, indent=2, ensure_ascii=False) + "\n")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")
