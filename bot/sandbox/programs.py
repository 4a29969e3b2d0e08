"""Programs that stand for those of a system: each says what it was told to say, and remembers how it was called."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

ANY = "*"
_PROGRAM = """#!{python} -IS
import fcntl, json, os, sys, time
here, name, given = os.path.dirname(os.path.abspath(sys.argv[0])), os.path.basename(sys.argv[0]), sys.argv[1:]
with open(os.path.join(here, "lock"), "w") as lock:
    fcntl.flock(lock, fcntl.LOCK_EX)
    with open(os.path.join(here, "calls"), "a") as calls:
        calls.write(json.dumps([name, *given]) + "\\n")
    with open(os.path.join(here, "answers")) as file:
        answers = json.load(file)
    def fits(one):
        asked = one["arguments"]
        return one["program"] == name and len(asked) == len(given) and all(a in ("*", b) for a, b in zip(asked, given))
    answer = next((one for one in reversed(answers) if fits(one)), None)
    if answer is None:
        sys.stderr.write(name + ": unknown arguments: " + " ".join(given) + "\\n")
        sys.exit(64)
    if answer["then"]:
        with open(os.path.join(here, "answers.new"), "w") as file:
            json.dump(answers + answer["then"], file)
        os.replace(os.path.join(here, "answers.new"), os.path.join(here, "answers"))
if answer["tells"]:
    import urllib.request
    told = json.dumps({"program": name, "arguments": given}).encode()
    urllib.request.build_opener(urllib.request.ProxyHandler({})).open(answer["tells"], told, timeout=20).read()
time.sleep(answer["seconds"])
sys.stdout.write(answer["out"])
sys.stderr.write(answer["err"])
sys.exit(answer["code"])
"""


@dataclass(frozen=True)
class Answer:
    """What a program does when it is given these arguments (`*` is any one): what it writes, its exit code, how long it
    takes, and what is answered from then on; before it says anything it `tells` an address what it was asked to do."""

    program: str
    arguments: Sequence[str]
    out: str = ""
    err: str = ""
    code: int = 0
    seconds: float = 0.0
    then: Sequence[Answer] = ()
    tells: str = ""


class LocalPrograms:
    """A folder of programs. `install` makes one, `answer` tells it what to say; the newest fitting answer counts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._write()

    def install(self, name: str) -> str:
        """Make a program of that name; its absolute path."""
        path = self.folder / name
        path.write_text(_PROGRAM.replace("{python}", sys.executable), encoding="utf-8")
        path.chmod(0o755)
        return str(path)

    def answer(self, *answers: Answer) -> None:
        """From now on; what running programs have changed since is kept."""
        kept = json.loads((self.folder / "answers").read_text(encoding="utf-8"))
        self._write([*kept, *map(asdict, answers)])

    def calls(self) -> list[list[str]]:
        """Every call so far: the program's name and its arguments."""
        journal = self.folder / "calls"
        return [json.loads(line) for line in journal.read_text().splitlines()] if journal.exists() else []

    def _write(self, answers: Sequence[object] = ()) -> None:
        staged = self.folder / "answers.new"
        staged.write_text(json.dumps(list(answers)), encoding="utf-8")
        staged.replace(self.folder / "answers")
