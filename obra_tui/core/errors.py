"""Every error that a person or a caller of the interface can meet.

    ObraError
    ├── ConfigError            settings file, environment or flag
    ├── PlanError              plan file: unreadable, duplicate id, unknown dependency, cycle
    ├── ProjectError           the folder is no usable git repository
    │   ├── WorkspaceError     the isolated copy or its git reading failed
    │   └── BranchMoved        acceptance lost the compare-and-swap
    ├── StoreError             the database cannot be used
    │   ├── NewerDatabase      written by a newer Obra
    │   ├── AlreadyOwned       another process owns the data directory
    │   └── Unwritable         nothing at all can be written
    │       ├── OwnerChanged   another process took it over, this one may not write any more
    │       ├── DiskFull       there is no space to write; ends by itself when there is
    │       ├── StoreAway      the database server cannot be reached; ends by itself when it can
    │       └── StoredAfterAll (in ports) a step that seemed lost was stored; what was asked for now was not
    ├── UnknownId              no such session, task, attempt or gate
    ├── NotAllowed             the request is not legal in the present state
    │   ├── IllegalMove        the lifecycle table has no such move
    │   ├── SessionClosedError work was asked for in a closed session
    │   ├── SessionOpenError   a second milestone session was asked for
    │   ├── GateDecided        somebody answered this gate first
    │   └── StaleDecision      the content changed since it was shown
    ├── ImplementerError       Claude Code could not be started or driven
    ├── ForgeError             the place of pull requests refused, or could not be reached
    └── JudgeError             the judge could not be asked

Each carries what happened (`what`), where (`where`) and what to do next (`fix`).
"""

from obra_tui.core.ids import GateId
from obra_tui.core.text import sentence


class ObraError(Exception):
    """Base of all expected errors: one plain sentence each for what, where and what to do next."""

    exit_code = 1
    is_sentence = True
    """Whether `what` stands by itself; it then ends with one full stop, whatever was quoted in it."""

    def __init__(self, what: str, *, where: str = "", fix: str = "") -> None:
        self.what = sentence(what) if self.is_sentence else what
        super().__init__(self.what)
        self.where = where
        self.fix = fix.removesuffix(".") if fix.endswith("..") and not fix.endswith("...") else fix

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        advice = f" {self.fix}" if self.fix else ""
        return f"{place}{self.what}{advice}"


class ConfigError(ObraError):
    exit_code = 2


class PlanError(ObraError):
    exit_code = 2


class ProjectError(ObraError):
    exit_code = 2


class WorkspaceError(ProjectError):
    exit_code = 1


class BranchMoved(ProjectError):
    """The session's branch is not where the work began; nothing was overwritten."""

    exit_code = 1

    def __init__(
        self, what: str, *, where: str = "", fix: str = "", conflicts: tuple[str, ...] = (), tip: str = ""
    ) -> None:
        super().__init__(what, where=where, fix=fix)
        self.conflicts = conflicts
        """Files that both sides changed in ways that exclude each other."""
        self.tip = tip
        """The commit that the branch points at now, if both can be brought together; without `conflicts` they fit."""


class StoreError(ObraError):
    pass


class NewerDatabase(StoreError):
    exit_code = 2


class AlreadyOwned(StoreError):
    exit_code = 7


class Unwritable(StoreError):
    """Not this step alone: none can be written, so nothing may go on."""

    passes = False
    """Whether to wait for its end: the work then goes on by itself."""


class OwnerChanged(Unwritable):
    exit_code = 7


class DiskFull(Unwritable):
    passes = True


class StoreAway(Unwritable):
    """The database is on a server that cannot be reached for now."""

    passes = True


class UnknownId(ObraError):
    exit_code = 2


class NotAllowed(ObraError):
    exit_code = 2


class IllegalMove(NotAllowed):
    pass


class SessionClosedError(NotAllowed):
    pass


class SessionOpenError(NotAllowed):
    pass


class GateDecided(NotAllowed):
    def __init__(self, gate: GateId, by: str, when: str) -> None:
        super().__init__(
            f"Gate {gate} was already answered by {by} at {when}.",
            fix="Nothing was changed; look at the session's history for the decision.",
        )


class StaleDecision(NotAllowed):
    def __init__(self, gate: GateId, changed: str) -> None:
        super().__init__(
            f"Gate {gate} was not answered: {changed} changed since it was shown.",
            fix="Look at the gate again and decide on what is there now.",
        )


class ImplementerError(ObraError):
    pass


class ForgeError(ObraError):
    pass


class JudgeError(ObraError):
    exit_code = 5
