"""A picture of a graph as users hold it: it writes itself in every form."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from unigrad.base.errors import ArgumentError
from unigrad.looking import drawing, page, writing
from unigrad.looking.parts import Parts


class Picture(Parts):
    """What :func:`unigrad.graph` returns. In a notebook it draws itself; ``print`` writes it for a terminal."""

    def __str__(self) -> str:
        return writing.text(self)

    __repr__ = __str__

    def dot(self) -> str:
        """The picture in Graphviz's language DOT."""
        return writing.dot(self)

    def mermaid(self) -> str:
        """The picture in the language of Mermaid, which GitHub, GitLab and JupyterLab draw."""
        return writing.mermaid(self)

    def svg(self) -> str:
        """The picture as SVG."""
        return drawing.svg(self)

    def html(self) -> str:
        """One page that needs nothing else, on which reverse and forward mode run step by step."""
        return page.html(self)

    def save(self, path: str | Path) -> None:
        """Write it to a file in the form that its name ends with.

        That is ``.svg``, ``.html``, ``.png``, ``.dot``, ``.mmd`` (Mermaid) or ``.txt``; ArgumentError for all else.
        A PNG needs resvg-py, which BackendError says where it is not there.
        """
        path = Path(path)
        writers: dict[str, Callable[[], str]] = {
            ".svg": self.svg, ".html": self.html, ".dot": self.dot, ".mmd": self.mermaid, ".txt": self.__str__,
        }  # fmt: skip
        ending = path.suffix.lower()
        if ending == ".png":
            path.write_bytes(drawing.png(self.svg()))
        elif ending in writers:
            path.write_text(writers[ending](), encoding="utf-8")
        else:
            raise ArgumentError(f"{str(path)!r} ends in none of {', '.join(writers)} and .png, which a picture has")

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """What a notebook shows: the drawing, or Mermaid or plain text where it cannot draw."""
        return {"image/svg+xml": self.svg(), "text/vnd.mermaid": self.mermaid(), "text/plain": str(self)}
