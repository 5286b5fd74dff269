"""`obra guide` and `obra keys`: what can be read in the app, without it."""

import json

import typer


def show_guide(name: str) -> int:
    from obra_tui.services.guides import guide, guides, title_of

    if name:
        typer.echo(guide(name).rstrip())
        return 0
    found = guides()
    width = max(map(len, found), default=0)
    for known, text in found.items():
        typer.echo(f"{known:<{width}}  {title_of(text)}")
    return 0


def show_keys(*, as_json: bool) -> int:
    """Print every key with the name by which `[keys]` changes it."""
    from obra_tui.config.early import appearance
    from obra_tui.ui.keys import KEYS, check_overrides, keys_of

    own = check_overrides(appearance().keys)
    width = max(len(key.id) for key in KEYS)
    for key in KEYS:
        keys = keys_of(key.id, own)
        if as_json:
            row = {"id": key.id, "keys": keys.split(","), "label": key.label, "yours": key.id in own}
            typer.echo(json.dumps(row, ensure_ascii=False))
        else:
            typer.echo(f"{key.id:<{width}}  {keys:<28} {key.label}{'  (yours)' if key.id in own else ''}")
    return 0
