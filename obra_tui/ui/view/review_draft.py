"""What a person has prepared at a gate and not sent yet: it waits when they look elsewhere. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from obra_tui.core.model import Finding, FindingSource, Severity


class FileMark(Struct, frozen=True):
    """A file that was looked at, as it was then: another patch is another file to look at."""

    path: str
    patch: str
    to_end: bool


class ReviewDraft(Struct, frozen=True, kw_only=True):
    notes: Mapping[str, str] = field(default_factory=dict)
    """What the person says about findings, by key."""
    own: tuple[Finding, ...] = ()
    """Findings that the person added."""
    unticked: frozenset[str] = frozenset()
    ticked: frozenset[str] = frozenset()
    own_score: float | None = None
    marks: frozenset[FileMark] = frozenset()
    open_s: float = 0.0
    """How long the gate was on screen before."""

    def findings(self, found: Sequence[Finding]) -> dict[str, Finding]:
        """Return the findings of the person, then those of the attempt, by key and with their notes."""
        keyed = {f"own{index}|{item.fingerprint}": item for index, item in enumerate(self.own)}
        keyed |= {f"{index}|{item.fingerprint}": item for index, item in enumerate(found)}
        return {key: replace(item, note=self.notes.get(key, "")) for key, item in keyed.items()}

    def is_ticked(self, key: str, finding: Finding) -> bool:
        """Own and grave findings go back with the work unless the person says otherwise."""
        if key in self.ticked or key in self.unticked:
            return key in self.ticked
        return finding.source is FindingSource.PERSON or finding.severity in (Severity.BLOCKER, Severity.MAJOR)

    def with_ticks(self, all_keys: Sequence[str], ticked: Sequence[str]) -> ReviewDraft:
        return replace(self, ticked=frozenset(ticked), unticked=frozenset(all_keys) - frozenset(ticked))

    def with_note(self, key: str, note: str) -> ReviewDraft:
        """A finding that is worth a note goes back with the work."""
        kept = {known: text for known, text in self.notes.items() if known != key}
        if not note.strip():
            return replace(self, notes=kept)
        return replace(
            self, notes={**kept, key: note.strip()}, ticked=self.ticked | {key}, unticked=self.unticked - {key}
        )

    def with_finding(self, finding: Finding) -> ReviewDraft:
        return replace(self, own=(*self.own, finding))

    def with_comment(self, finding: Finding) -> ReviewDraft:
        """One comment of the person a line: another one takes its place, an empty one takes it away."""
        place = (finding.file, finding.line)
        index = next((at for at, item in enumerate(self.own) if (item.file, item.line) == place), None)
        if index is None:
            return self.with_finding(finding) if finding.message else self
        kept = [item for at, item in enumerate(self.own) if at != index]
        if finding.message:
            kept.insert(index, replace(self.own[index], message=finding.message))
        return replace(self, own=tuple(kept))
