"""An archive in memory: what it was given, and what it was asked."""

from obra_tui.core.errors import ObraError
from obra_tui.ui.ports import ImportResult, TranscriptPreview, TranscriptSource

SECRET = "ghp_" + "a1B2" * 9

FOLDER = "/home/ada/.claude/projects/-home-ada-calc"


class FakeArchive:
    """Holds labels, files and preferences; `trees` are the patches between two trees."""

    def __init__(self, labels=None, sources=0, trees=None) -> None:
        self._labels = {session: set(names) for session, names in (labels or {}).items()}
        self._sources = tuple(
            TranscriptSource(path=f"{FOLDER}/{n}.jsonl", project="-home-ada-calc", at=n, bytes=n)
            for n in range(sources)
        )
        self._trees = trees or {}
        self.files: dict[str, tuple[str, str]] = {}
        self.preferences: list[tuple[object, ...]] = []
        self.brought_in: list[str] = []

    def clean(self, text):
        return text.replace(SECRET, "[redacted: github token]")

    def labels(self):
        return {session: tuple(sorted(names)) for session, names in self._labels.items() if names}

    def label(self, session, name, *, remove=False):
        names = self._labels.setdefault(session, set())
        (names.discard if remove else names.add)(name)
        return tuple(sorted(names))

    def prefer(self, a, b, winner, note, *, blind):
        self.preferences.append((a, b, winner, note, blind))

    def export(self, which, form, to):
        if to in self.files:
            raise ObraError("Nothing was written: the file exists.", where=to, fix="Name another file.")
        self.files[to] = (which, form)
        return 100

    def tree_diff(self, a, b):
        return self._trees.get((a, b))

    def sources(self):
        return self._sources

    def preview(self, path):
        return TranscriptPreview(
            title="Fix the zebra test", folder="/home/ada/calc", model="claude-opus", first_prompt="Fix it"
        )

    def bring_in(self, paths, stopped):
        for path in paths:
            self.brought_in.append(path)
            yield ImportResult(path=path, outcome="imported")
            if stopped():
                return
