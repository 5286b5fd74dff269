"""The `.git` of a copy and of what checks see: it stands on the base, with all objects in the supervisor's repository.

It has the project's history and tags, because version tools ask for them, and no remote: nothing leads back to the
person's repository.
"""

import shutil
from pathlib import Path

_FOLDERS = ("", "info", "objects", "objects/info", "objects/pack", "refs", "refs/heads", "refs/tags")
_CONFIG = """[core]
\trepositoryformatversion = {version}
\tfilemode = true
\tbare = false
\tlogallrefupdates = true
{extensions}[user]
\tname = Claude Code
\temail = claude@localhost
[gc]
\tauto = 0
"""
TAGS = "obra-tags"
"""File in the supervisor's repository: the project's tags, in the form of git's `packed-refs`."""


def lay_out_git(own: Path, repository: Path, base: str) -> None:
    """Make the git directory `own`, without an index."""
    for folder in _FOLDERS:
        (own / folder).mkdir()
    is_sha256 = len(base) == 64
    extensions = "[extensions]\n\tobjectformat = sha256\n" if is_sha256 else ""
    (own / "config").write_text(_CONFIG.format(version=int(is_sha256), extensions=extensions))
    (own / "HEAD").write_text("ref: refs/heads/work\n")
    (own / "refs" / "heads" / "work").write_text(f"{base}\n")
    (own / "objects" / "info" / "alternates").write_text(f"{repository / 'objects'}\n")
    for source, target in ((TAGS, "packed-refs"), ("shallow", "shallow"), ("info/exclude", "info/exclude")):
        if (repository / source).is_file():
            shutil.copy(repository / source, own / target)
