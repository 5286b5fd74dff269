"""Foreign text on a page: what hides, reorders or cannot be sent is shown as a sign and does nothing."""

import re

from obra_tui.core.text import visible

_MORE = re.compile("[\xad\u180e\u206a-\u206f\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]")


def clean(text: str) -> str:
    return _MORE.sub("\ufffd", visible(text))
