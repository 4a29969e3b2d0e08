"""The platforms that the sample system posts to: publishing once more, and WhatsApp's templates and rating."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from bot.sandbox.sample import Ground
from bot.sandbox.services import Asked, Reply
from bot.sandbox.waooaw.desk import opened

Json = dict[str, Any]
ACCOUNT = "acct_meera_whatsapp"
PUBLISH = """
UPDATE deliverables SET status = 'published', publish_error = NULL, published_at = now(), updated_at = now(),
    external_id = 'ig_' || left(md5(id::text), 12), image_bytes = least(image_bytes, $2),
    image_width = least(image_width, $3), image_height = least(image_height, $3)
WHERE id = $1 AND external_id IS NULL RETURNING external_id
"""


@dataclass
class Publisher:
    """Publishes what it is told to, once; `templates` and `quality` are what WhatsApp says of the account."""

    ground: Ground
    templates: dict[str, Json] = field(default_factory=lambda: {"order_ready": {"status": "APPROVED"}})
    quality: str = "GREEN"

    def serve(self) -> None:
        """From now on these answers."""
        answer = self.ground.services.answer
        answer("POST", "/api/pp/deliverables/{id}/publish", Reply(then=self._publish, token=True))
        answer("GET", f"/graph/v19.0/{ACCOUNT}/message_templates", Reply(then=self._templates, token=True))
        answer("GET", f"/graph/v19.0/{ACCOUNT}", Reply(then=self._account, token=True))

    async def _publish(self, asked: Asked) -> Json | Reply:
        said = asked.json
        async with opened(self.ground) as connection:
            id = UUID(asked.path.split("/")[-2])
            made = await connection.fetchval(PUBLISH, id, int(said["max_bytes"]), int(said["max_width"]))
        return {"external_id": made} if made else Reply(409, {"error": "published already"})

    async def _templates(self, asked: Asked) -> Json:
        name = asked.query.get("name", "")
        found = self.templates.get(name)
        return {"data": [{"name": name, **found}] if found else []}

    async def _account(self, _asked: Asked) -> Json:
        return {"id": ACCOUNT, "quality_rating": self.quality}
