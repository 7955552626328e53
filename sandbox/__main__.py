"""`python -m sandbox`: a local AmoCRM from the command line."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from sandbox.options import (
    DEFAULT_CLIENT_ID,
    DEFAULT_REDIRECT_URI,
    SECRET_VARIABLE,
    BadOption,
    Options,
    client_secret_from_environment,
)

DEFAULTS = Options()


def parser() -> argparse.ArgumentParser:
    """The command line. The client secret is not on the line: `ps` would show the secret to every user."""
    command = argparse.ArgumentParser(
        prog="python -m sandbox",
        description="A local AmoCRM that answers like the real one.",
        epilog=f"The client secret comes from {SECRET_VARIABLE}, else from a documented default. See docs/sandbox.md.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = command.add_argument
    add("--host", default=DEFAULTS.host, help="address to listen on")
    add("--port", type=int, default=DEFAULTS.port, help="port to listen on; 0 picks a free one")
    add("--leads", type=int, default=DEFAULTS.leads, help="leads of the last 180 days in a new club")
    add("--rps", type=int, default=DEFAULTS.rps, help="requests allowed in any second")
    add("--latency-ms", type=float, default=DEFAULTS.latency_ms, help="delay of every answer")
    add("--seed", type=int, default=DEFAULTS.seed, help="makes the same club again")
    add("--db", type=Path, default=None, metavar="PATH", help="keep everything in this file (default: memory)")
    add("--client-id", default=DEFAULT_CLIENT_ID, help="the integration's id, a UUID")
    add("--redirect-uri", default=DEFAULT_REDIRECT_URI, help="where the consent page sends people back to")
    add(
        "--refresh-mode", default=DEFAULTS.refresh_mode, choices=("strict", "grace"), help="when old refresh tokens die"
    )
    add("--search-lag-s", type=float, default=DEFAULTS.search_lag_s, help="how long query= does not see what is new")
    add("--now", type=int, default=None, metavar="SECONDS", help="unix time the club's history ends at (default: now)")
    add("--exit-with-parent", action="store_true", help="stop when stdin ends")
    return command


def main(arguments: list[str] | None = None) -> int:
    """Run until told to stop. Returns 2, with a sentence on stderr, for options that cannot be."""
    given = vars(parser().parse_args(arguments))
    exit_with_parent = given.pop("exit_with_parent")
    try:
        options = replace(Options(**given), client_secret=client_secret_from_environment()).check()
        # Imported late, so that a slip of the finger is told at once and `--help` costs nothing.
        from sandbox.server import print_ready, serve
        from sandbox.store.database import BadFile
    except BadOption as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return 2
    try:
        serve(options, exit_with_parent=exit_with_parent, announce=print_ready)
    except (BadOption, BadFile) as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
