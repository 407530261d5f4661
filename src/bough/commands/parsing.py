"""The command line's parser: a mistyped command or option is one sentence that proposes what was meant."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from bough.spelling import did_you_mean

WRONG_USE = 2
"""Exit status of a command line that cannot be understood."""


class Parser(argparse.ArgumentParser):
    """`argparse.ArgumentParser` with other words for mistakes. Parsers of subcommands are of this class, too."""

    def error(self, message: str) -> NoReturn:
        """One sentence on standard error, and status 2."""
        ending = "" if message.endswith("?") else "."
        print(f"bough: {message}{ending} `{self.prog} --help` shows what there is.", file=sys.stderr)
        raise SystemExit(WRONG_USE)

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Nothing is left over: the parser that does not know a word says so, as it knows its own options."""
        parsed, left = super().parse_known_args(args, namespace)
        unknown = [word for word in left if word.startswith("-") and word != "-"] or left
        if unknown:
            name = unknown[0].partition("=")[0]
            if not name.startswith("-"):
                self.error(f"{name!r} is one argument too many")
            self.error(f"there is no option {name}{did_you_mean(name, self._option_string_actions)}")
        return parsed, left

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            known = [str(one) for one in action.choices]
            proposed = did_you_mean(str(value), known) or f"; choose from {', '.join(known)}"
            raise argparse.ArgumentError(action, f"{value!r} is unknown{proposed}")
