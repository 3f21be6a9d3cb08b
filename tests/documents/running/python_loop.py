"""Runs files of Python one after the other in one namespace. Each line of standard input is the path of a file.

It is a process of its own, which knows nothing of the tests. What a block prints and raises goes to files beside it.
"""

import ast
import contextlib
import sys
import traceback
from pathlib import Path


def main() -> None:
    """Answers each path with a line: 0, or 1 if the file raised an error."""
    namespace = {"__name__": "__main__", **ast.literal_eval(sys.argv[1])}
    sys.path.insert(0, "")
    for line in sys.stdin:
        path = Path(line.strip())
        out, errors = path.with_name(f"{path.name}.out"), path.with_name(f"{path.name}.err")
        with out.open("w", encoding="utf-8") as stdout, errors.open("w", encoding="utf-8") as stderr:
            status = _run(path, namespace, stdout, stderr)
        print(status, flush=True)  # noqa: T201 - the answer to the test


def _run(path: Path, namespace: dict[str, object], stdout: object, stderr: object) -> int:
    with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):  # type: ignore[type-var]
        try:
            exec(compile(path.read_text(encoding="utf-8"), path, "exec"), namespace)  # noqa: S102 - runs the project's own documents
        except BaseException:  # noqa: BLE001 - whatever a block raises fails its test, SystemExit included
            traceback.print_exc()
            return 1
    return 0


main()
