"""`obra config`: the settings in force, the files they come from, and the trust in a project's own."""

import json
from pathlib import Path
from typing import Annotated

import typer

from obra_tui.cli.options import HERE, JsonOption, ProjectOption
from obra_tui.cli.parser import Commands

config_app = Commands(help="Show the settings in force, or trust a project's own settings.")
OriginOption = Annotated[bool, typer.Option("--origin", help="Say where each value comes from.")]


def register(app: typer.Typer) -> None:
    app.add_typer(config_app, name="config")


@config_app.callback(invoke_without_command=True)
def config(
    context: typer.Context, project: ProjectOption = HERE, origin: OriginOption = False, as_json: JsonOption = False
) -> int:
    """Print the settings in force."""
    return 0 if context.invoked_subcommand else show(project, origin, as_json)


@config_app.command()
def show(project: ProjectOption = HERE, origin: OriginOption = False, as_json: JsonOption = False) -> int:
    """Print the settings in force; --origin says where each comes from."""
    from obra_tui.config.load import explain, load

    rows = explain(load(_project(project)))
    width = max(len(row.key) for row in rows)
    for row in rows:
        if as_json:
            typer.echo(json.dumps({"key": row.key, "value": row.value, "source": row.source}))
        else:
            typer.echo(f"{row.key:<{width}} = {row.value}" + (f"   # {row.source}" if origin else ""))
    return 0


@config_app.command()
def trust(project: ProjectOption = HERE) -> int:
    """Let this project's own settings file set commands and rules, as the file is now."""
    from obra_tui.config.load import load, trust_project
    from obra_tui.services.project import project_root, refuse_data_inside

    root = project_root(project)
    refuse_data_inside(root, load().data_dir)
    typer.echo(f"trusted as it is now: {trust_project(root)}")
    return 0


@config_app.command()
def path(project: ProjectOption = HERE) -> int:
    """Print the files and folders that Obra uses."""
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
