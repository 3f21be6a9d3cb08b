"""Runs scenarios in one real browser, and says what was seen of the page."""

import json
import subprocess
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

_SCRIPT = Path(__file__).parent / "browser" / "run.mjs"
_WITHIN_SECONDS = 100
NARROW: Final = {"viewport": {"width": 320, "height": 640}}
"""The smallest screen on which the dashboard works."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen of a page: the `facts` that a scenario returned, and all calls of the API."""

    facts: dict[str, Any]
    calls: list[dict[str, Any]]


class Browser:
    """A browser that is started at the first scenario. Each scenario has its own storage and cookies."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed by `close`

    def run(self, scenario: Path, given: dict[str, Any], options: dict[str, Any]) -> Seen:
        """Runs the module of a scenario: its default function gets the page, `given` and what is seen so far.

        `options` are those of the browser's context, such as `NARROW`.

        Raises:
            AssertionError: the scenario failed, or the page had an error, made a call that was refused and that the
                scenario does not provoke, violated its policy, called another server, or is not accessible.
        """
        process = self._started()
        assert process.stdin is not None
        assert process.stdout is not None
        late = threading.Timer(_WITHIN_SECONDS, process.kill)
        late.start()
        try:
            process.stdin.write(json.dumps({"scenario": str(scenario), "given": given, "options": options}))
            process.stdin.write("\n")
            process.stdin.flush()
            line = process.stdout.readline()
        finally:
            late.cancel()
        assert line, f"{scenario.name} does not end: {self._end_of_errors()}"
        seen = json.loads(line)
        assert "failed" not in seen, seen["failed"]
        for name in ("errors", "refused", "violations", "foreign", "findings"):
            assert seen[name] == [], seen[name]
        return Seen(seen["facts"], seen["calls"])

    def close(self) -> None:
        """Ends the browser."""
        if self._process is not None:
            self._process.communicate()
        self._errors.close()

    def _started(self) -> subprocess.Popen[str]:
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(  # noqa: S603 - fixed names
                ["node", str(_SCRIPT)],  # noqa: S607 - as in a shell
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                text=True,
            )
        return self._process

    def _end_of_errors(self) -> str:
        self._errors.seek(0)
        return self._errors.read()[-3000:]
