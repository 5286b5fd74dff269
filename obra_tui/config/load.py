"""Every setting in force and where its value came from: the door to `obra_tui.config`.

Flags win over the environment (`OBRA_JUDGE__MODEL`), that over the project's
file, that over the person's own file, that over the defaults. An unknown key
or a wrong value is an error that names the key and the line.

The project's file is `.obra/config.toml`; if there is none, `config.toml`
counts when it has a `[claude]`, `[judge]` or `[gate]` table or `[[checks]]`
(many projects have a `config.toml` that is none of Obra's business). What it
may set without `obra config trust` is in `obra_tui.config.trust`.

Importing this costs pydantic: only `cli`, `api`, `bootstrap` and `services` do it, and late.
`python -m obra_tui.config.load > config.toml` writes the file of the defaults.
"""

from collections.abc import Mapping
from pathlib import Path

from obra_tui.config import trust
from obra_tui.config.early import UiSettings, user_file
from obra_tui.config.render import origins
from obra_tui.config.schema import (
    CheckSettings,
    ClaudeSettings,
    DatabaseSettings,
    GateSettings,
    InForce,
    JudgeSettings,
    Origin,
    SandboxSettings,
    Settings,
    Weights,
    WorkspaceSettings,
    values,
)
from obra_tui.config.sources import Layer, content_layer, environment_layer, file_layer, flag_layer, read, settings_of
from obra_tui.config.trust import project_file
from obra_tui.core.errors import ConfigError

__all__ = [
    "CheckSettings",
    "ClaudeSettings",
    "DatabaseSettings",
    "GateSettings",
    "JudgeSettings",
    "Origin",
    "SandboxSettings",
    "Settings",
    "UiSettings",
    "Weights",
    "WorkspaceSettings",
    "explain",
    "load",
    "load_as_it_was",
    "project_file",
    "trust_project",
    "user_file",
]


def load(project: Path | None = None, flags: Mapping[str, object] | None = None) -> Settings:
    """Return the settings in force for `project`.

    `flags` maps dotted keys (`gate.policy`) to values; those that are `None` were
    not given. Raises `ConfigError`.
    """
    file = project_file(project) if project is not None else None
    if project is None or file is None:
        return _in_force(flags or {}, None)
    return load_as_it_was(project, file, read(file), flags)


def load_as_it_was(
    project: Path,
    file: Path,
    content: bytes,
    flags: Mapping[str, object] | None = None,
    *,
    is_trusted: bool = False,
) -> Settings:
    """Return the settings in force if the project's file held this, whatever it holds now. Raises `ConfigError`."""
    above, below = _layers_of_the_person(flags or {})
    own = _project_layer(content, project, file)
    trusted = is_trusted or trust.is_trusted(settings_of((*above, below)).data_dir, file, content)
    trust.refuse_untrusted(own, above, below, trusted=trusted)
    return _in_force(flags or {}, own)


def _in_force(flags: Mapping[str, object], own: Layer | None) -> Settings:
    above, below = _layers_of_the_person(flags)
    layers = (*above, below) if own is None else (*above, own, below)
    settings = settings_of(layers)
    return InForce(**dict(values(settings)), origins=tuple(origins(settings, layers)))


def explain(settings: Settings) -> tuple[Origin, ...]:
    """Return every setting with its value and its source, in the order of `config.toml`."""
    return settings.origins if isinstance(settings, InForce) else tuple(origins(settings, ()))


def trust_project(project: Path, flags: Mapping[str, object] | None = None) -> Path:
    """Trust the project's file as it is now and return its path; raises `ConfigError` if there is none."""
    above, below = _layers_of_the_person(flags or {})
    file = project_file(project)
    if file is None:
        raise ConfigError(
            "There is no project file to trust.",
            where=str(project),
            fix="A project needs one only for settings of its own, in .obra/config.toml.",
        )
    content = read(file)
    _project_layer(content, project, file)
    trust.remember(settings_of((*above, below)).data_dir, file, content)
    return file


def _project_layer(content: bytes, project: Path, file: Path) -> Layer:
    return trust.without_personal(content_layer(content, shown=str(file.relative_to(project))))


def _layers_of_the_person(flags: Mapping[str, object]) -> tuple[tuple[Layer, Layer], Layer]:
    return (flag_layer(flags), environment_layer()), file_layer(user_file())


if __name__ == "__main__":
    import sys

    from obra_tui.config.render import template

    sys.stdout.write(template())
