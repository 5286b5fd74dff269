"""Takes a shell command line apart, far enough to say which programs it starts and where it writes.

Pure. It need not understand everything: what it does not understand is reported as *opaque*, and an opaque command
is never allowed by a rule. Quoting is read as bash does; substitutions are taken apart like commands of their own.
"""

from collections.abc import Iterator

from msgspec import Struct, field


class Command(Struct, frozen=True, kw_only=True):
    """One simple command. `words` are without quotes; `expands` tells which of them the shell would change."""

    words: tuple[str, ...]
    expands: tuple[bool, ...]
    assigns: tuple[str, ...] = ()
    """`NAME=value` in front of it."""
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    """Targets of redirections; one that the shell would change stands as `$`."""
    piped_into: bool = False


class CommandLine(Struct, frozen=True, kw_only=True):
    """A whole command line, substitutions included."""

    commands: tuple[Command, ...]
    opaque: str = ""
    """What was not understood; empty when everything was."""


class _Opaque(Exception):
    """Raised with the construct that is not understood."""


class _Word(Struct):
    text: str = ""
    expands: bool = False
    quoted: bool = False


class _CommandParts(Struct):
    words: list[_Word] = field(default_factory=list)
    reads: list[str] = field(default_factory=list)
    writes: list[str] = field(default_factory=list)
    piped_into: bool = False


_SEPARATORS = (";;", "&&", "||", "|&", "|", ";", "&", "\n")
_REDIRECTIONS = ("&>>", "&>", ">>", ">|", ">&", "<&", "<>", ">", "<")
_EXPANDING = set("*?[]{}~$")
_AFTER_DOLLAR = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_({[?#*@!$-")
_MAX_DEPTH = 8


def parse(line: str) -> CommandLine:
    """Return the simple commands of a line in the order in which they are written."""
    reader = _Reader(line)
    try:
        reader.read_list(closing="")
    except (_Opaque, RecursionError) as problem:
        return CommandLine(commands=tuple(reader.commands), opaque=str(problem) or "nesting")
    return CommandLine(commands=tuple(reader.commands))


class _Reader:
    """One pass over the text; `commands` collects what was found."""

    def __init__(self, text: str, depth: int = 0) -> None:
        if depth > _MAX_DEPTH:
            raise _Opaque("nesting")
        self._text = text
        self._at = 0
        self._depth = depth
        self.commands: list[Command] = []

    def read_list(self, closing: str) -> None:
        """Read commands up to `closing` or the end of the text."""
        building = _CommandParts()
        while True:
            self._skip_blanks()
            if self._at >= len(self._text):
                if closing:
                    raise _Opaque(f"unclosed {closing}")
                break
            if closing and self._text[self._at] == closing:
                self._at += 1
                break
            building = self._step(building)
        self._end(building)

    def _step(self, building: _CommandParts) -> _CommandParts:
        if self._starts("<<"):
            raise _Opaque("here-document")
        if self._starts("<(", ">("):
            raise _Opaque("process substitution")
        if redirection := self._take(*_REDIRECTIONS):
            self._redirect(building, redirection)
            return building
        if separator := self._take(*_SEPARATORS):
            self._end(building)
            return _CommandParts(piped_into=separator in ("|", "|&"))
        match self._text[self._at]:
            case "(" if not building.words:
                self._at += 1
                self.read_list(closing=")")
                return _CommandParts(words=[_Word(quoted=True)])
            case "(" | ")":
                raise _Opaque("parentheses")
            case "#":
                self._skip_comment()
                return building
            case _:
                self._add(building, self._word())
                return building

    def _add(self, building: _CommandParts, word: _Word) -> None:
        """Keep a word; digits right before a redirection name a stream and are no word."""
        if word.text.isdigit() and not word.quoted and self._starts(">", "<"):
            return
        building.words.append(word)

    def _redirect(self, building: _CommandParts, redirection: str) -> None:
        self._skip_blanks()
        target = self._word()
        if redirection in (">&", "<&") and (target.text.isdigit() or target.text == "-"):
            return
        place = "$" if target.expands else target.text
        if not place:
            raise _Opaque("redirection")
        (building.reads if redirection == "<" else building.writes).append(place)

    def _end(self, building: _CommandParts) -> None:
        words = [word for word in building.words if word.text or word.quoted]
        assigns: list[str] = []
        while words and _assigns(words[0]):
            assigns.append(words.pop(0).text)
        if not (words or assigns or building.reads or building.writes):
            return
        self.commands.append(
            Command(
                words=tuple(word.text for word in words),
                expands=tuple(word.expands for word in words),
                assigns=tuple(assigns),
                reads=tuple(building.reads),
                writes=tuple(building.writes),
                piped_into=building.piped_into,
            )
        )

    # --- words ---

    def _word(self) -> _Word:
        word = _Word()
        while self._at < len(self._text) and self._text[self._at] not in " \t\n;&|<>()":
            self._piece(word)
        return word

    def _piece(self, word: _Word) -> None:
        match self._text[self._at]:
            case "'":
                word.text += self._until("'")
                word.quoted = True
            case '"':
                self._double(word)
            case "\\":
                word.text += self._escaped()
                word.quoted = True
            case "`":
                self._substitute(self._until("`"), word)
            case "$":
                self._dollar(word)
            case character:
                word.expands = word.expands or character in _EXPANDING
                word.text += character
                self._at += 1

    def _double(self, word: _Word) -> None:
        self._at += 1
        word.quoted = True
        while self._at < len(self._text):
            match self._text[self._at]:
                case '"':
                    self._at += 1
                    return
                case "\\":
                    word.text += self._escaped(only='"\\$`\n')
                case "`":
                    self._substitute(self._until("`"), word)
                case "$" if self._text[self._at + 1 : self._at + 2] in _AFTER_DOLLAR:
                    self._dollar(word)
                case character:
                    word.text += character
                    self._at += 1
        raise _Opaque("unclosed quote")

    def _dollar(self, word: _Word) -> None:
        if self._starts("$'", '$"'):
            raise _Opaque("$'…'")
        if self._starts("$(("):
            raise _Opaque("arithmetic")
        word.expands = True
        if self._starts("$("):
            self._at += 2
            inner = _Reader(self._text[self._at :], self._depth + 1)
            try:
                inner.read_list(closing=")")
            finally:
                self.commands += inner.commands
            self._at += inner._at
            word.text += "$"
            return
        if self._starts("${"):
            raise _Opaque("${…}")
        word.text += "$"
        self._at += 1

    def _substitute(self, inner: str, word: _Word) -> None:
        word.expands = True
        word.text += "$"
        reader = _Reader(inner.replace("\\`", "`"), self._depth + 1)
        try:
            reader.read_list(closing="")
        finally:
            self.commands += reader.commands

    def _escaped(self, only: str = "") -> str:
        if self._at + 1 >= len(self._text):
            raise _Opaque("trailing backslash")
        character = self._text[self._at + 1]
        self._at += 2
        if character == "\n":
            return ""
        return character if not only or character in only else "\\" + character

    def _until(self, quote: str) -> str:
        """Return what stands between the quote here and the next one, and go behind it."""
        end = self._text.find(quote, self._at + 1)
        while quote == "`" and end > 0 and self._text[end - 1] == "\\":
            end = self._text.find(quote, end + 1)
        if end < 0:
            raise _Opaque("unclosed quote")
        inner = self._text[self._at + 1 : end]
        self._at = end + 1
        return inner

    # --- text ---

    def _starts(self, *options: str) -> bool:
        return self._text.startswith(options, self._at)

    def _take(self, *options: str) -> str:
        found = next((option for option in options if self._text.startswith(option, self._at)), "")
        self._at += len(found)
        return found

    def _skip_blanks(self) -> None:
        while self._starts(" ", "\t", "\\\n"):
            self._at += 2 if self._starts("\\\n") else 1

    def _skip_comment(self) -> None:
        end = self._text.find("\n", self._at)
        self._at = len(self._text) if end < 0 else end


def _assigns(word: _Word) -> bool:
    name, equals, _ = word.text.partition("=")
    return bool(equals) and name.isidentifier() and name.isascii()


def programs(line: CommandLine) -> Iterator[str]:
    """Yield the name of each program that a line starts."""
    for command in line.commands:
        if command.words:
            yield command.words[0].rpartition("/")[2]
