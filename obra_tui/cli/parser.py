"""typer with one more rule: an option that is accepted is used, or the line is refused.

By itself the parser drops two things without a word: options that stand before a subcommand, and all but the last of
an option that is given twice. With `-C` either would mean work on another repository than the one that was named.
"""

from collections.abc import Callable, Mapping
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from obra_tui.core.errors import ConfigError


class StrictCommand(TyperCommand):
    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        _refuse_repeated(self, ctx, args)
        return super().parse_args(ctx, args)


class StrictGroup(TyperGroup):
    """Hands the options that stand before a subcommand on to it."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        _refuse_repeated(self, ctx, args)
        return super().parse_args(ctx, args)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, command, rest = super().resolve_command(ctx, args)
        given = {option.name: option for option in self.params if _is_given(ctx, option.name)}
        for option in given.values():
            if not accepts(command, option.name):
                ctx.fail(f"{' / '.join(option.opts)} means nothing to `{ctx.command_path} {name}`.")
        if name is not None:
            from_above = (ctx.default_map or {}).get(name, {})
            ctx.default_map = {name: {**from_above, **_defaults(command, {key: ctx.params[key] for key in given})}}
        return name, command, rest


class Commands(typer.Typer):
    """A group of commands that keep the rule."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(cls=StrictGroup, rich_markup_mode=None, **settings)

    def command(self, name: str | None = None, **settings: Any) -> Callable[[Any], Any]:
        return super().command(name, **{"cls": StrictCommand, **settings})


def accepts(command: Any, option: str) -> bool:
    """Return whether a command, or each one of a group, has this option."""
    below = getattr(command, "commands", {}).values()
    return any(own.name == option for own in command.params) or (bool(below) and all(accepts(c, option) for c in below))


def refuse_unused(beside: str, **given: object) -> None:
    """Refuse what would be dropped because `beside` is asked for. Raises `ConfigError`.

    The names are those of the options, with `_` for `-`; a name in capitals is an argument.
    """
    names = [name if name.isupper() else f"--{name.replace('_', '-')}" for name, value in given.items() if value]
    if names:
        verb = "means" if len(names) == 1 else "mean"
        raise ConfigError(f"{' and '.join(names)} {verb} nothing beside {beside}.", fix="Leave one of the two out.")


def _defaults(command: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the defaults of a command, and of all that are below it."""
    return {**given, **{name: _defaults(below, given) for name, below in getattr(command, "commands", {}).items()}}


def _is_given(ctx: Any, option: str) -> bool:
    source = ctx.get_parameter_source(option)
    return source is not None and source.name in ("COMMANDLINE", "DEFAULT_MAP")


def _refuse_repeated(command: Any, ctx: Any, args: list[str]) -> None:
    *_, order = command.make_parser(ctx).parse_args(args=list(args))
    valued = [
        option for option in order if option.param_type_name == "option" and not (option.multiple or option.is_flag)
    ]
    inherited = ctx.default_map or {}
    for option in valued:
        if valued.count(option) > 1 or option.name in inherited:
            ctx.fail(f"{' / '.join(option.opts)} was given twice.")
