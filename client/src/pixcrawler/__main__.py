"""Runs the command line, also with `python -m pixcrawler`."""

import os
import sys


def main() -> None:
    """Runs the command line. Ctrl-C ends it at once, also while it begins."""
    try:
        from pixcrawler.commands.app import main as run

        run()
    except KeyboardInterrupt:
        os._exit(130)
    except SystemExit as end:
        if end.code == 130:
            # Python would wait for threads that wait for a server
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(130)
        raise


if __name__ == "__main__":
    main()
