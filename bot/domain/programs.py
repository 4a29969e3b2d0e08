"""Which arguments a program may be given, and what no declaration may leave open: code, options and passwords."""

from __future__ import annotations

import re
from collections.abc import Sequence

OPEN = "*"
_SHELLS = {"sh", "bash", "rbash", "dash", "ash", "zsh", "ksh", "mksh", "fish", "csh", "tcsh", "pwsh", "eval", "exec"}
_AS_SOMEBODY_ELSE = {"sudo", "su", "doas", "runuser", "pkexec", "chroot", "unshare", "nsenter", "ssh", "rsh"}
_LATER_OR_LIMITED = {
    "nohup",
    "setsid",
    "nice",
    "ionice",
    "chrt",
    "taskset",
    "timeout",
    "time",
    "stdbuf",
    "flock",
    "watch",
}
_AROUND = {"env", "xargs", "parallel", "script", "screen", "tmux", "expect", "socat", "entr", "strace", "ltrace", "gdb"}
_MANAGERS = {"busybox", "toybox", "start-stop-daemon", "systemd-run"}
_RUN_ANYTHING = frozenset(_SHELLS | _AS_SOMEBODY_ELSE | _LATER_OR_LIMITED | _AROUND | _MANAGERS)
_MANY_IN_ONE = frozenset({"busybox", "toybox", "coreutils"})  # on small systems every plain tool leads to one of these
_CODE = re.compile(r"-[a-zA-Z]*[ceEr]|--?(eval|exec|execute|command|expression|code)")
_PASSWORD = re.compile(
    r"-{0,2}([\w-]*[-_])?(password|passwd|passphrase|pass|pwd|token|secret|api-?_?key|access-?_?key|auth|credentials?)",
    re.IGNORECASE,
)


def runs_anything(program: str, found: str = "") -> bool:
    """Whether a program, by its path and by the path it leads to, runs whatever it is given."""
    names = {program.rpartition("/")[2], *({found.rpartition("/")[2]} - _MANY_IN_ONE)}
    return bool(names & _RUN_ANYTHING)


def fits(pattern: Sequence[str], arguments: Sequence[str]) -> bool:
    """Whether arguments are what a declared list says, one by one."""
    return len(pattern) == len(arguments) and all(map(_is, pattern, arguments))


def left_open(pattern: Sequence[str]) -> tuple[str, str] | None:
    """What a declared list leaves open that it may not, and what to write instead; None when it is sound."""
    if pattern and OPEN in pattern[0]:
        return (
            "The first argument says what is done: it cannot be open.",
            "Write the program's own word there; * is for values.",
        )
    for place, word in enumerate(pattern):
        option, equals, value = word.partition("=")
        after = pattern[place + 1] if place + 1 < len(pattern) else ""
        code = _CODE.fullmatch(option.rstrip(OPEN)) is not None
        if code and (OPEN in (value if equals else word) or (not equals and OPEN in after)):
            return (
                f"What follows «{option.rstrip(OPEN)}» may be code: it cannot be open.",
                "Declare each statement by itself, or use the option's long name if it takes a plain value.",
            )
        if _PASSWORD.fullmatch(option) and (equals or OPEN in after):
            return (
                f"«{option}» takes a secret, and every user of the machine can read arguments.",
                "Give it to the program in its environment: NAME: {env: VARIABLE}.",
            )
    return None


def _is(wanted: str, argument: str) -> bool:
    """Whether an argument is what a pattern wants; a `*` at its beginning takes nothing that would be an option."""
    if OPEN not in wanted:
        return wanted == argument
    if wanted.startswith(OPEN) and argument.startswith("-"):
        return False
    literal = ".*".join(re.escape(part) for part in wanted.split(OPEN))
    return re.fullmatch(literal, argument, re.DOTALL) is not None
