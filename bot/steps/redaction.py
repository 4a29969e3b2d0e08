"""What may never be shown: the secret values in use and the passwords inside addresses; masked by `Targets.redact`."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote, urlsplit

MASK = "•••"
SHORTEST = 4  # a shorter value would mask ordinary words
_IN_ADDRESS = re.compile(r"(?P<before>(?<![a-zA-Z0-9+.-])[a-zA-Z][a-zA-Z0-9+.-]{0,30}://[^\s/:@]*:)[^\s/]+@")


class Redaction:
    """The secret values seen so far; `mask` puts •••  in their place, longest first."""

    def __init__(self) -> None:
        self._secrets: set[str] = set()

    def learn(self, value: str) -> None:
        """From now on the value is masked, as it is and as it stands in an address."""
        for form in (value, quote(value, safe=""), unquote(value)):
            if len(form) >= SHORTEST:
                self._secrets.add(form)

    def learn_address(self, address: str) -> None:
        """The password inside an address is masked; where it leads to is not."""
        try:
            password = urlsplit(address).password
        except ValueError:
            password = None
        if password:
            self.learn(password)

    def mask(self, text: str) -> str:
        """The text without any secret value."""
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, MASK)
        return _IN_ADDRESS.sub(rf"\g<before>{MASK}@", text)
