"""News reach an open page in the order in which they were written, and none after its login has ended."""

import asyncio
import json

from obra_tui.core import events as e
from obra_tui.headless.follow import text_lines
from obra_tui.web.news import MOST_OPEN, NewsFeed
from tests.store.story import Writer
from tests.web.house import ScriptedRecords


def opened():
    news = ScriptedRecords()
    return news, NewsFeed(news, text_lines)


async def first(stream):
    """Return the first thing that is told."""
    async for text in stream:
        if text.startswith("data: "):
            return json.loads(text.removeprefix("data: "))
    return None


async def test_an_open_page_hears_what_changed_and_the_lines_of_its_session():
    news, feed = opened()
    writer, other = Writer("s1"), Writer("s2")
    writer.opened()
    with feed.listening():
        stream = feed.stream("s1", 1, lambda: True)
        heard = asyncio.create_task(first(stream))
        while not feed._open:
            await asyncio.sleep(0)
        text = writer.add(e.TextFinished(block="b", text="Hello \x1b[2J"), "t1", "a1")
        news.tell(writer.records[0], text, other.add(e.TextFinished(block="b", text="Elsewhere"), "t2", "a2"))
        told = await heard
        await stream.aclose()
    assert told["changed"] == ["all", "session:s1"]
    assert told["lines"] == ["  » Hello ␛[2J"]
    assert not news.listeners


async def test_a_page_whose_login_has_ended_is_told_no_more():
    news, feed = opened()
    is_in = True
    with feed.listening():
        stream = feed.stream("s1", 0, lambda: is_in)
        got = [await anext(stream)]
        waiting = asyncio.create_task(anext(stream))
        while not feed._open:
            await asyncio.sleep(0)
        is_in = False
        writer = Writer("s1")
        writer.opened()
        news.tell(*writer.records)
        got.append(await waiting)
        got += [text async for text in stream]
    assert got == ["retry: 2000\n\n", "event: over\ndata: {}\n\n"]
    assert not feed._open


async def test_only_so_many_pages_listen():
    _, feed = opened()
    streams = [feed.stream("", 0, lambda: True) for _ in range(MOST_OPEN)]
    for stream in streams:
        await anext(stream)
    assert feed.is_full
    for stream in streams:
        await stream.aclose()
    assert not feed.is_full
