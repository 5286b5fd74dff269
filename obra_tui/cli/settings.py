"""`obra config`."""

import json
from pathlib import Path

import typer


def show_settings(project: Path, *, origin: bool, as_json: bool) -> int:
    from obra_tui.config.load import explain, load

    rows = explain(load(_project(project)))
    width = max(len(row.key) for row in rows)
    for row in rows:
        if as_json:
            typer.echo(json.dumps({"key": row.key, "value": row.value, "source": row.source}))
        else:
            typer.echo(f"{row.key:<{width}} = {row.value}" + (f"   # {row.source}" if origin else ""))
    return 0


def trust_settings(project: Path) -> int:
    from obra_tui.config.load import trust_project
    from obra_tui.services.project import project_root

    typer.echo(f"trusted as it is now: {trust_project(project_root(project))}")
    return 0


def show_paths(project: Path) -> int:
    from obra_tui.config.load import load, project_file, user_file

    root = _project(project)
    settings = load(root)
    own = project_file(root) if root else None
    typer.echo(f"your settings     {user_file()}{'' if user_file().exists() else '  (not there)'}")
    typer.echo(f"project settings  {own or 'none'}")
    typer.echo(f"data              {settings.data_dir}")
    typer.echo(f"database          {(settings.database.url and '(database.url)') or settings.data_dir / 'obra.db'}")
    return 0


def _project(folder: Path) -> Path | None:
    """Return the project around `folder`, None outside of one: settings can be looked at anywhere."""
    from obra_tui.core.errors import ProjectError
    from obra_tui.services.project import project_root

    try:
        return project_root(folder)
    except ProjectError:
        return None
