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
    gc.set_threshold(50_000, 20, 50)
