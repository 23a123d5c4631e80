"""Pieces of HTML that a report is made of."""

import base64
import html
from collections.abc import Sequence

from keras_convnets.analysis.plots import Picture


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Returns a table of texts."""

    def line(tag: str, cells: Sequence[str]) -> str:
        return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"

    body = "".join(line("td", row) for row in rows)
    return f"<table>{line('th', header)}{body}</table>"


def picture(drawn: Picture, about: str) -> str:
    """Returns a picture that is in the page itself.

    Args:
        drawn: the picture.
        about: what it shows, for those who can't see it.
    """
    content = base64.b64encode(drawn.png()).decode()
    return f'<img alt="{html.escape(about)}" src="data:image/png;base64,{content}">'


def share(value: float | None) -> str:
    """Returns a share as text."""
    return "none" if value is None else f"{value:.1%}"


def left_out(count: int, shown: int, what: str) -> str:
    """Says how many of a list are not shown, if any."""
    return f" {count - shown:,} other {what} are left out." if count > shown else ""
