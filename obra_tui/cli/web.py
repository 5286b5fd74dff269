"""`obra web`: gates in a browser, and who may open it."""

import getpass
import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from obra_tui.cli.options import JsonOption
from obra_tui.cli.parser import Commands
from obra_tui.core.errors import ConfigError
from obra_tui.core.text import one_line

if TYPE_CHECKING:
    from obra_tui.web.access import DeviceRole

web_app = Commands(help="Gates in a browser.", no_args_is_help=False, invoke_without_command=True)

RoleOption = Annotated[str, typer.Option("--role", help="approver (may answer) or viewer (may look).")]


def register(app: typer.Typer) -> None:
    app.add_typer(web_app, name="web")


@web_app.callback()
def web(
    context: typer.Context,
    port: Annotated[int | None, typer.Option("--port", min=0, max=65535, help="Instead of web.port.")] = None,
) -> int:
    """Serve gates, live runs and the history to a browser, until you end it."""
    if context.invoked_subcommand is not None:
        return 0
    from obra_tui.bootstrap.web import access_of, serve_web
    from obra_tui.config.load import load
    from obra_tui.web.ports import ServingPlace

    settings = load()

    def on_ready(place: ServingPlace) -> None:
        access = access_of(settings)
        typer.echo(f"Obra is served at {place.url} (Ctrl+C ends it)")
        if access.devices() or access.book().passwords:
            typer.echo("Another device: obra web pair")
        else:
            _print_code(access.new_code(_role("approver"), _person()), place.url)
        sys.stdout.flush()

    serve_web(settings, port, on_ready)
    return 0


@web_app.command()
def pair(
    role: RoleOption = "approver",
    name: Annotated[str, typer.Option("--as", help="Who answers with it (default: your account).")] = "",
    port: Annotated[int | None, typer.Option("--port", min=0, max=65535, help="As it was given to `obra web`.")] = None,
    as_json: JsonOption = False,
) -> int:
    """Show a code that lets one device in, once, within ten minutes."""
    from obra_tui.bootstrap.web import access_of, place_of
    from obra_tui.config.load import load

    settings = load()
    place = place_of(settings, settings.web.port if port is None else port)
    if not place.port and not place.public_url:
        raise ConfigError("The port is not known.", fix="Name the one that `obra web` printed: --port 8765")
    code = access_of(settings).new_code(_role(role), f"person:{one_line(name, 60)}" if name.strip() else _person())
    if as_json:
        typer.echo(json.dumps({"type": "pairing", "role": role, "url": f"{place.url}/pair?code={code}"}))
    else:
        _print_code(code, place.url)
    return 0


@web_app.command()
def password(role: RoleOption = "approver") -> int:
    """Set the password of a role; who logged in by the one before is logged out."""
    from obra_tui.bootstrap.web import access_of, need_extra
    from obra_tui.config.load import load

    need_extra()
    from obra_tui.web.passwords import hashed

    chosen = _role(role)
    first = _typed("Password: ")
    made = hashed(first)
    if sys.stdin.isatty() and _typed("Once more: ") != first:
        raise ConfigError("The two are not the same.", fix="Type it again.")
    access_of(load()).set_password(made, chosen, _person())
    typer.echo(f"The password of {chosen.value}s is set.")
    return 0


@web_app.command()
def devices(as_json: JsonOption = False) -> int:
    """List who is logged in."""
    from obra_tui.bootstrap.web import access_of
    from obra_tui.cli.history import when
    from obra_tui.config.load import load
    from obra_tui.core.plain import to_builtins

    found = access_of(load()).devices()
    for device, login in found:
        if as_json:
            typer.echo(json.dumps({"type": "device", **to_builtins(device), "seen": login.seen}))
        else:
            typer.echo(f"{device.id}  {device.role.value:<8}  {one_line(device.name)}  last seen {when(login.seen)}")
    if not found and not as_json:
        typer.echo("No device is logged in.")
    return 0


@web_app.command()
def end(device: Annotated[str, typer.Argument(help="Its id, or how it begins.")]) -> int:
    """End the login of a device: a telephone that was lost."""
    from obra_tui.bootstrap.web import access_of
    from obra_tui.config.load import load

    ended = access_of(load()).end(device)
    typer.echo(f"{one_line(ended.name)} is logged out.")
    return 0


def _role(text: str) -> "DeviceRole":
    from obra_tui.web.access import DeviceRole

    try:
        return DeviceRole(text)
    except ValueError:
        raise ConfigError(f"{text!r} is no role.", fix="Use approver or viewer.") from None


def _person() -> str:
    from obra_tui.system.user import person

    return person()


def _typed(prompt: str) -> str:
    return getpass.getpass(prompt) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")


def _print_code(code: str, url: str) -> None:
    from obra_tui.web.serving import picture

    link = f"{url}/pair?code={code}"
    typer.echo(picture(link))
    typer.echo(f"Scan it, or open {link}\nIt is good for ten minutes and for one device.")
