"""Lists to choose from: the cursor stays on its row, ticks stay, files are marked as seen."""

from tests.widgets.screen import rows, showing, text
from widgets import samples
from widgets.diff.file_list import ChangedFile, FileList
from widgets.lines import LogLine
from widgets.lists.checklist import Checklist, ChecklistItem
from widgets.lists.choice_list import ChoiceList


def choices(count):
    return [LogLine(f"row {i}", key=str(i)) for i in range(count)]


async def test_the_first_row_is_highlighted_and_keys_move_it():
    listing = ChoiceList()
    async with showing(listing, size=(40, 10), hear=(ChoiceList.Highlighted, ChoiceList.Picked)) as pilot:
        listing.set_rows(choices(100))
        await pilot.pause()
        assert listing.highlighted == "0"
        await pilot.press("j", "j", "k", "G", "g", "pagedown", "enter")
        assert listing.highlighted == "7"
        assert pilot.app.heard[-1].key == "7"
        assert isinstance(pilot.app.heard[-1], ChoiceList.Picked)


async def test_the_cursor_stays_on_its_row_when_rows_change():
    listing = ChoiceList()
    async with showing(listing, size=(40, 10)) as pilot:
        listing.set_rows(choices(50))
        assert listing.highlight("30")
        await pilot.pause()
        before = next(i for i, row in enumerate(rows(pilot.app)) if "row 30" in row)
        listing.set_rows([LogLine("new", key="new"), *choices(50)])
        await pilot.pause()
        assert listing.highlighted == "30"
        assert next(i for i, row in enumerate(rows(pilot.app)) if "row 30" in row) == before


async def test_an_empty_list_survives_every_key():
    listing = ChoiceList()
    async with showing(listing) as pilot:
        await pilot.press("j", "k", "g", "G", "pagedown", "pageup", "ctrl+d", "enter", "y")
        assert listing.highlighted == ""


async def test_a_hundred_thousand_rows_are_shown_at_once():
    listing = ChoiceList()
    async with showing(listing, size=(40, 10)) as pilot:
        listing.set_rows(choices(100_000))
        await pilot.press("G")
        await pilot.pause()
        assert "row 99999" in text(pilot.app)


async def test_space_ticks_a_finding_and_tells_all_that_are_ticked():
    listing = Checklist()
    async with showing(listing, size=(120, 12), hear=(Checklist.Chosen, Checklist.Jump)) as pilot:
        listing.show(samples.FINDINGS)
        await pilot.pause()
        assert "[x] ✗ error tests/test_client.py:31" in text(pilot.app)
        await pilot.press("space")
        assert listing.checked == ("f1", "f2")
        assert pilot.app.heard[-1].keys == ("f1", "f2")
        await pilot.press("A")
        assert listing.checked == ("f1", "f2", "f3")
        await pilot.press("A")
        assert listing.checked == ()


async def test_enter_jumps_to_the_place_of_a_finding():
    listing = Checklist()
    async with showing(listing, hear=(Checklist.Jump,)) as pilot:
        listing.show(samples.FINDINGS)
        await pilot.press("j", "enter")
        jump = pilot.app.heard[-1]
        assert (jump.key, jump.path, jump.line) == ("f2", "tests/test_client.py", 31)


async def test_ticks_a_person_made_stay_when_findings_arrive():
    listing = Checklist()
    async with showing(listing) as pilot:
        listing.show([ChecklistItem("a", "one", checked=True), ChecklistItem("b", "two")])
        await pilot.press("space", "j", "space")
        listing.show(
            [
                ChecklistItem("a", "one", checked=True),
                ChecklistItem("b", "two"),
                ChecklistItem("c", "three", checked=True),
            ]
        )
        await pilot.pause()
        assert listing.checked == ("b", "c")


async def test_files_show_counts_notes_and_seen_marks():
    listing = FileList()
    async with showing(listing, size=(60, 10), hear=(FileList.Chosen,)) as pilot:
        listing.show(samples.FILES)
        await pilot.pause()
        assert "M shop/client.py" in text(pilot.app)
        assert "+31 −0" in text(pilot.app)
        assert "binary" in text(pilot.app)
        listing.mark_seen("shop/client.py")
        await pilot.pause()
        assert "+3 −1  seen" in text(pilot.app)
        assert listing.unseen == ("tests/test_client.py", "assets/logo.png")
        await pilot.press("j", "enter")
        assert pilot.app.heard[-1].path == "tests/test_client.py"


async def test_a_file_that_changed_again_is_unseen_again():
    listing = FileList()
    async with showing(listing):
        listing.show(samples.FILES)
        listing.mark_seen("shop/client.py")
        listing.show(samples.FILES)
        assert "shop/client.py" not in listing.unseen
        listing.show([ChangedFile("shop/client.py", added=9)])
        assert listing.unseen == ("shop/client.py",)
