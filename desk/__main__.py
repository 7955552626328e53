"""The desk's command line, for operators of the server.

python -m desk check-config     what the settings say, and everything that is wrong with them
python -m desk keys rotate      seal what is stored with a new key, without losing the connection
"""

from __future__ import annotations

import argparse
import sys

from crm.errors import DeskError
from desk import console
from desk.desk import Desk
from desk.key_file import key_file_phrases, new_phrase, write_key_file
from desk.settings import Settings, SettingsError, load
from desk.words import words


def main(arguments: list[str] | None = None) -> int:
    """Run one command; its exit status."""
    chosen = parser().parse_args(arguments)
    try:
        settings = load()
        if chosen.command == "check-config":
            return check_config(settings)
        return rotate(settings)
    except SettingsError as error:
        console.refuse_settings(error)
        return console.WRONG_SETTINGS
    except DeskError as error:
        what, remedy = words(_language()).error(error.code)
        print(f"{what} {remedy}", file=sys.stderr)
        return 1


def parser() -> argparse.ArgumentParser:
    """Arguments of the command line."""
    whole = argparse.ArgumentParser(prog="python -m desk", description=(__doc__ or "").partition("\n")[0])
    commands = whole.add_subparsers(dest="command", required=True)
    commands.add_parser("check-config", help="what the settings say, and everything that is wrong with them")
    keys = commands.add_parser("keys", help="the keys that seal the tokens at rest")
    keys.add_argument("action", choices=["rotate"])
    return whole


def check_config(settings: Settings) -> int:
    """Open the database with the given settings and check that the keys fit. Sends nothing to AmoCRM."""
    say = words(settings.ui_language)
    desk = Desk(settings)
    status = desk.connection.status()
    desk.close()
    print(say("check-demo") if settings.demo else say("check-account", address=settings.amocrm_api_url))
    print(say("check-database", kind=desk.store.url.get_backend_name()))
    print(say(f"connection-state-{status.state}"))
    for note in settings.notes:
        print(f"{note.name}: {say.setting(note.code, note.hint)}")
    return 0


def rotate(settings: Settings) -> int:
    """Put a new key first in the ring, seal everything stored with the new key, and take the old key away.

    With a key file all of that happens here. With `SECRET_KEY` only a person can change the setting: the new key goes
    in front of the old one, then this command, then the old one can go.
    """
    say = words(settings.ui_language)
    ring = settings.secret_key.reveal().split(",") if settings.secret_key else None
    if ring is not None and len(ring) == 1:
        print(say("keys-put-in-front", phrase=new_phrase()))
        return 1
    former = key_file_phrases(settings.key_file) if ring is None else []
    if ring is None:
        # Both keys stand in the file until everything is sealed anew: a stop half-way loses nothing.
        write_key_file(settings.key_file, [new_phrase(), *former])
    desk = Desk(settings)
    try:
        desk.connection.reseal()
        desk.webhooks.reseal()
        desk.connection.check_key()
    finally:
        desk.close()
    if ring is None:
        write_key_file(settings.key_file, key_file_phrases(settings.key_file)[:1])
    print(say("keys-rotated") if ring is None else say("keys-old-can-go"))
    return 0


def _language() -> str:
    try:
        return load().ui_language
    except SettingsError:
        return "ru"


if __name__ == "__main__":
    sys.exit(main())
