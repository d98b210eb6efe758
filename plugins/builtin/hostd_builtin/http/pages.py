"""Answers that come in pages: how to ask for the next one. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal

from hostd.plugin import ActionError, Field, JsonValue, Options

if TYPE_CHECKING:
    from yarl import URL

PATH = r"^[^.\s]+(\.[^.\s]+)*$"


class _Pages(Options):
    """What every kind of paging has."""

    items: str | None = Field(
        None,
        description="Where the items are in a page's JSON, such as `data.items`; without it the page is the list.",
        pattern=PATH,
        max_length=200,
        examples=["data.items"],
    )
    max_pages: int = Field(100, description="Pages to ask for at most.", ge=1, le=1_000)
    max_items: int = Field(10_000, description="Items to collect at most.", ge=1, le=100_000)


class LinkPages(_Pages):
    """The header `Link: <address>; rel="next"` leads on."""

    type: Literal["link"] = Field(description="Kind of paging.")


class NextPages(_Pages):
    """The body holds the next page's address."""

    type: Literal["next"] = Field(description="Kind of paging.")
    path: str = Field(
        "next", description="Where the next page's address is in a page's JSON.", pattern=PATH, max_length=200
    )


class CursorPages(_Pages):
    """The body holds a cursor, which goes into the query."""

    type: Literal["cursor"] = Field(description="Kind of paging.")
    path: str = Field(
        description="Where the cursor is in a page's JSON; none, null or empty ends.",
        pattern=PATH,
        max_length=200,
        examples=["meta.next_cursor"],
    )
    parameter: str = Field("cursor", description="Key of the query that takes it.", min_length=1, max_length=100)


class NumberPages(_Pages):
    """Pages are counted; an empty one, or one with less than `size` items, is the last."""

    type: Literal["page"] = Field(description="Kind of paging.")
    parameter: str = Field("page", description="Key of the query that takes the number.", min_length=1, max_length=100)
    start: int = Field(1, description="Number of the first page.", ge=0, le=1_000_000)
    size: int | None = Field(None, description="Items of a full page.", ge=1, le=100_000)
    size_parameter: str | None = Field(None, description="Key of the query that takes `size`.", max_length=100)


class OffsetPages(_Pages):
    """Items are counted; a page with less than `size` items is the last."""

    type: Literal["offset"] = Field(description="Kind of paging.")
    parameter: str = Field("offset", description="Key of the query that takes it.", min_length=1, max_length=100)
    size: int = Field(100, description="Items to ask for.", ge=1, le=100_000)
    size_parameter: str = Field("limit", description="Key of the query that takes `size`.", max_length=100)


Paging = Annotated[LinkPages | NextPages | CursorPages | NumberPages | OffsetPages, Field(discriminator="type")]


class Walk:
    """One walk through pages: collects items, says where to go next, and ends.

    Attributes:
        complete: whether the last page was seen.
    """

    def __init__(self, paging: Paging, url: URL) -> None:
        self._paging = paging
        self._first = url
        self._seen: set[str] = set()
        self.items: list[JsonValue] = []
        self.pages = 0
        self.complete = False

    def first(self) -> URL:
        """Return the address of the first page."""
        paging = self._paging
        if isinstance(paging, NumberPages):
            size = {paging.size_parameter: str(paging.size)} if paging.size_parameter and paging.size else {}
            return self._first.update_query({**size, paging.parameter: str(paging.start)})
        if isinstance(paging, OffsetPages):
            return self._first.update_query({paging.size_parameter: str(paging.size), paging.parameter: "0"})
        return self._first

    def take(self, body: JsonValue, url: URL, link: URL | None) -> URL | None:
        """Take a page's items; return the address of the next page, None when there is none, or no room.

        Args:
            url: where the page came from; relative addresses begin there.
            link: what its `Link` header says.

        Raises:
            ActionError: PAGE_INVALID, PAGES_CIRCULAR.
        """
        paging = self._paging
        items = body if paging.items is None else at_path(body, paging.items)
        if not isinstance(items, list):
            where = f"at `{paging.items}`" if paging.items else "in the body"
            raise ActionError(f"page {self.pages + 1} has no list {where}", code="PAGE_INVALID")
        self.pages += 1
        room = paging.max_items - len(self.items)
        self.items.extend(items[:room])
        following = self._following(body, len(items), url, link)
        if following is not None and str(following) in self._seen:
            raise ActionError("a page leads back to one that was seen already", code="PAGES_CIRCULAR")
        self.complete = following is None and len(items) <= room
        if following is None or len(items) >= room or self.pages >= paging.max_pages:
            return None
        self._seen.add(str(following))
        return following

    def _following(self, body: JsonValue, count: int, url: URL, link: URL | None) -> URL | None:
        paging = self._paging
        if isinstance(paging, LinkPages):
            return None if link is None else url.join(link)
        if isinstance(paging, NextPages):
            return _joined(url, at_path(body, paging.path))
        if isinstance(paging, CursorPages):
            cursor = at_path(body, paging.path)
            if cursor is None or cursor == "" or cursor is False:
                return None
            if not isinstance(cursor, str | int) or isinstance(cursor, bool):
                raise ActionError(f"the cursor at `{paging.path}` is no text or number", code="PAGE_INVALID")
            return self._first.update_query({paging.parameter: str(cursor)})
        if isinstance(paging, NumberPages):
            if count == 0 or (paging.size is not None and count < paging.size):
                return None
            return self.first().update_query({paging.parameter: str(paging.start + self.pages)})
        if count < paging.size:
            return None
        return self.first().update_query({paging.parameter: str(self.pages * paging.size)})


def at_path(value: JsonValue, path: str) -> JsonValue:
    """Return what lies at a path of keys and positions; None where there is nothing."""
    for word in path.split("."):
        if isinstance(value, Mapping):
            value = value.get(word)
        elif isinstance(value, list) and word.isascii() and word.isdigit() and int(word) < len(value):
            value = value[int(word)]
        else:
            return None
    return value


def _joined(url: URL, following: JsonValue) -> URL | None:
    from yarl import URL

    if following is None or following in ("", False):
        return None
    try:
        return url.join(URL(str(following)))
    except ValueError:
        raise ActionError("the next page's address is none", code="PAGE_INVALID") from None
