"""When Python looks for objects that only hold each other: not while the program loads, and then not at what it loaded.

Loading makes hundreds of thousands of objects that live to the end. Looking through them again and again takes a tenth
of a short run, and holds up the screen for a frame each time.
"""

import gc


def while_loading() -> None:
    """Look rarely: what is made now stays."""
    gc.set_threshold(300_000, 20, 50)


def loaded() -> None:
    """Look at what is made from now on, in small portions; what is there needs no look any more."""
    gc.freeze()
    # 20 tasks without a screen never made fifty thousand, and held what only held each other to their end. Often looked
    # at is what is new; all that stayed, as seldom as ever: that takes a frame's time.
    gc.set_threshold(5_000, 10, 1_000)
