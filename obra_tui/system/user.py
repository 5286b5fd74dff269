"""The account that Obra runs under, as it is stored with every decision, answer and command."""

import getpass
import os


def person() -> str:
    """Return the deciding person: `person:` and the login name, or the user id where there is no name."""
    try:
        login = getpass.getuser()
    except (KeyError, OSError):
        login = f"uid {os.getuid()}"
    return f"person:{login}"
