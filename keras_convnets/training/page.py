"""Pieces of HTML that a report is made of."""

import base64
import html
from collections.abc import Sequence
from string import Template

from keras_convnets.analysis.plots import Picture

_PAGE = Template("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>$title</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1000px; margin: 2em auto; }
table { border-collapse: collapse; }
td, th { padding: 0.2em 0.8em 0.2em 0; text-align: left; vertical-align: top;
  border-bottom: 1px solid #ddd; }
img { max-width: 100%; }
.big { font-size: 2em; }
</style>
</head>
<body>
<h1>$title</h1>
$body</body>
</html>
""")


def document(title: str, body: str) -> str:
    """Returns a page.

    Args:
        title: of it, as text.
        body: HTML, with a line break at its end.
    """
    return _PAGE.substitute(title=html.escape(title), body=body)


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
