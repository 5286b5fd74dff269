"""What a model, a repository or a browser wrote is shown on the page and does nothing: a thousand ways to try."""

import random
import re
from enum import Enum
from html.parser import HTMLParser

import msgspec
import pytest

from obra_tui.core import events as e
from obra_tui.web.access import DeviceRole
from tests.store.story import Writer

PIECES = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)" x="',
    "' autofocus onfocus='alert(1)",
    "</title></textarea></pre></style><svg onload=alert(1)>",
    "javascript:alert(1)",
    "<!--",
    "-->",
    "]]>",
    "{{ 7 * 7 }}{% raw %}",
    "&lt;script&gt;&#x3c;script&#x3e;",
    "<iframe srcdoc='<script>1</script>'>",
    "<base href=//evil.example>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<form action=//evil.example><button>",
    "</form><input name=form value=x>",
    "\x1b]0;owned\x07\x1b[2J",
    "\x00\x08\x7f\x9b31m",
    "\u202egnp.exe\u2066x\u2069\u200b\ufeff\u00ad",
    "\ud800\udfff",
    "\U000e0041",
    "data: {}\n\nevent: over\ndata: {}\n\n",
    "\r\nSet-Cookie: a=b\r\n\r\n",
    "+++ b/../../etc/passwd\n@@ -1 +1 @@\n",
    "<a href=//evil.example>",
    "ｓｃｒｉｐｔ",
    "\u2028\u2029",
)
KEPT = {
    "id",
    "type",
    "kind",
    "level",
    "state",
    "depends_on",
    "binding",
    "claude_session",
    "call",
    "block",
    "gate",
    "origin",
    "reported_by",
    "how",
}
TAGS = {
    *("html", "head", "meta", "title", "link", "script", "noscript", "body", "a", "header", "nav", "form", "input"),
    *("span", "button", "main", "h1", "h2", "h3", "p", "div", "section", "pre", "ul", "ol", "li", "dl", "dt", "dd"),
    *("table", "caption", "thead", "tbody", "tr", "th", "td", "details", "summary", "code", "label", "textarea"),
    *("article", "strong", "small", "br"),
}
FORBIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f]"
)


def spoiled(value, bad):
    """The same value with every free text in it made hostile."""
    if isinstance(value, Enum) or not isinstance(value, msgspec.Struct | str | tuple):
        return value
    if isinstance(value, str):
        return f"{value}{bad()}"
    if isinstance(value, tuple):
        return tuple(spoiled(item, bad) for item in value)
    fields = {name: spoiled(getattr(value, name), bad) for name in value.__struct_fields__ if name not in KEPT}
    return msgspec.structs.replace(value, **fields)


class Strict(HTMLParser):
    """Finds what no page of ours has: other elements, handlers, addresses elsewhere, more forms."""

    def __init__(self):
        super().__init__()
        self.faults, self.tags, self.forms = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag not in TAGS:
            self.faults.append(tag)
        for name, value in attrs:
            if name.startswith("on") or name in ("style", "srcdoc"):
                self.faults.append(f"{tag} {name}={value}")
            if name in ("href", "src", "action") and not re.match(r"(/(?!/)|#)", value or ""):
                self.faults.append(f"{tag} {name}={value}")
        if tag == "form":
            self.forms.append(dict(attrs)["action"])
        if tag == "script" and dict(attrs).get("src") != "/static/obra.js":
            self.faults.append(f"script {attrs}")


def looked_through(page):
    parser = Strict()
    parser.feed(page)
    return parser


@pytest.fixture
def spoil():
    chosen = random.Random(20)
    used = []

    def bad():
        used.append(" ".join(chosen.choices(PIECES, k=3)))
        return used[-1]

    bad.used = used
    return bad


def spoiled_story(session, bad):
    writer = Writer(session)
    writer.opened()
    writer.task_added(f"t-{session}")
    binding = writer.worked(f"t-{session}", f"a-{session}")
    writer.gate_opened(f"t-{session}", f"a-{session}", f"g-{session}", binding)
    keep = (e.TaskMoved, e.GateOpened)
    writer.records[:] = [
        record if isinstance(record.event, keep) else msgspec.structs.replace(record, event=spoiled(record.event, bad))
        for record in writer.records
    ]
    return writer


def storable(writer):
    """As the translation of foreign bytes leaves them: no lone surrogate reaches the journal."""
    text = msgspec.json.encode
    fixed = []
    for record in writer.records:
        try:
            text(record.event)
        except UnicodeEncodeError:
            cleaned = spoiled_clean(record.event)
            record = msgspec.structs.replace(record, event=cleaned)
        fixed.append(record)
    writer.records[:] = fixed
    return writer


def spoiled_clean(value):
    if isinstance(value, Enum) or not isinstance(value, msgspec.Struct | str | tuple):
        return value
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, tuple):
        return tuple(spoiled_clean(item) for item in value)
    return msgspec.structs.replace(
        value, **{name: spoiled_clean(getattr(value, name)) for name in value.__struct_fields__}
    )


def test_a_thousand_hostile_texts_in_every_shown_field_do_nothing(house, spoil):
    sessions = [f"s{number}" for number in range(30)]
    for session in sessions:
        house.write(storable(spoiled_story(session, spoil)))
    assert len(spoil.used) > 1000
    client = house.signed_in(name="<script>me</script>\x1b[2J")
    paths = ["/", "/history", "/history?q=calculator"]
    paths += [path for s in sessions for path in (f"/gates/g-{s}", f"/sessions/{s}", f"/attempts/a-{s}")]
    for path in paths:
        answer = client.get(path)
        assert answer.status_code == 200, answer.text[-700:]
        found = looked_through(answer.text)
        assert found.faults == [], path
        assert not FORBIDDEN.search(answer.text), path
        assert set(found.forms) <= {"/logout", "/history", *(f"/gates/g-{s}/answer" for s in sessions)}, path
        assert found.tags.count("script") == 1


def test_hostile_words_of_a_browser_are_shown_and_do_nothing(house, gate):
    client = house.client()
    for piece in PIECES:
        if "\ud800" in piece:
            continue
        for path in ("/login", "/pair"):
            page = client.get(path, params={"next": piece, "code": piece}).text
            assert looked_through(page).faults == []
        house.clock.now += 1000
    inside = house.signed_in(DeviceRole.APPROVER)
    for piece in PIECES:
        if "\ud800" in piece:
            continue
        page = inside.get("/history", params={"q": piece, "at": "1", "id": piece})
        assert page.status_code in (200, 404, 409)
        assert looked_through(page.text).faults == [], piece
        assert looked_through(inside.get(f"/gates/{'x'}", params={"x": piece}).text).faults == []


def test_a_lone_surrogate_that_reaches_a_page_is_shown_as_a_sign():
    from obra_tui.web.render import Pages

    page = Pages().page("login.html", wanted="/", problem="a\ud800b", has_password=False)
    assert "a\ufffdb" in page.body.decode()
