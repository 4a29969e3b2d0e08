"""Slack's rate limits as data and as a bucket per method, channel and token; asked by the web API before every call."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Tier:
    """`per_minute` calls refill steadily; `burst` may come at once; `by` names the argument that has its own bucket.

    Slack documents the minute rates and says only that bursts are tolerated (https://docs.slack.dev/apis/web-api/rate-limits);
    the bursts here are one minute's worth, and a handful for the slow ones.
    """

    per_minute: float
    burst: int
    by: str | None = None
    workspace_per_minute: float | None = None


T1 = Tier(1, 3)
T2 = Tier(20, 20)
T3 = Tier(50, 50)
T4 = Tier(100, 100)
UNLIMITED = Tier(math.inf, 1)
# One a second in a channel and "several hundred a minute" in a workspace.
POSTING = Tier(60, 4, by="channel", workspace_per_minute=300)
# auth.test has a tier of its own: hundreds a minute.
AUTH_TEST = Tier(600, 600)
# Tier 1 says "one a minute and more": an app with ten sockets must be able to reconnect them all.
CONNECTING = Tier(10, 20)


@dataclass
class _Bucket:
    level: float
    at: float


@dataclass
class Limits:
    """Token buckets; `clock` is in seconds. With `enabled` False every call passes."""

    clock: Callable[[], float]
    enabled: bool = True
    _buckets: dict[tuple[str, ...], _Bucket] = field(default_factory=dict)

    def wait_seconds(self, method: str, tier: Tier, token: str, subject: str) -> int:
        """0 when the call may pass (and is counted), else the whole seconds of `Retry-After`."""
        if not self.enabled or math.isinf(tier.per_minute):
            return 0
        key = (token, method, subject) if tier.by else (token, method)
        waits = [self._missing(key, tier.per_minute, tier.burst)]
        workspace = tier.workspace_per_minute
        if workspace is not None:
            waits.append(self._missing((token, method, "*"), workspace, int(workspace)))
        if (longest := max(waits)) > 0:
            return max(1, math.ceil(longest))
        self._buckets[key].level -= 1
        if workspace is not None:
            self._buckets[token, method, "*"].level -= 1
        return 0

    def _missing(self, key: tuple[str, ...], per_minute: float, burst: int) -> float:
        now = self.clock()
        bucket = self._buckets.setdefault(key, _Bucket(burst, now))
        bucket.level = min(float(burst), bucket.level + (now - bucket.at) * per_minute / 60)
        bucket.at = now
        # A hair of tolerance, so that waiting exactly Retry-After is enough in binary fractions too.
        return 0.0 if bucket.level >= 1 - 1e-6 else (1 - bucket.level) * 60 / per_minute
