"""What failures of operations on values are called."""

from __future__ import annotations

CODES = {
    "MISSING": "A path leads nowhere in the value; `default` on the operation takes its place.",
    "CONVERSION": "The value cannot be converted so; `default` on the operation takes its place.",
    "WRONG_KIND": "The operation takes a list, a map, or numbers, and got something else; the message says what.",
    "EXPRESSION_FAILED": "The expression failed for an item; the message says where.",
    "EXPRESSION_INVALID": "The expression cannot be understood; the message says why.",
    "EXPRESSION_LIMIT": "One evaluation is too large; the message says where.",
    "DATE_INVALID": "The text is no date of that form; name its form.",
    "ZONE_UNKNOWN": "There is no such time zone; names are those of the IANA list, such as Europe/Berlin.",
    "TOO_LARGE": "Too many items, or too large an output. Work on fewer items.",
    "TOO_MUCH_WORK": "The operations take too much work together. Work on fewer items.",
    "OUT_OF_RANGE": "A number is not within 64 bits; sums past that need floats.",
    "CANCELED": "It was stopped before it was done.",
}
CODES_OF_JQ = {
    "JQ_FAILED": "What jq said is in the message.",
    "JQ_RESULTS": "The program gives another number of results than one; collect them with `[...]`.",
    "JQ_LIMIT": "The program took too much time or memory. Raise the option that the message names, or do less.",
    "NUMBER_INEXACT": "A number that jq cannot hold exactly. Give it as text.",
    "OUTPUT_INVALID": "What jq gives is no JSON value that hostd takes, such as a number past 64 bits.",
    "TOO_LARGE": "The program gives too many bytes. Make it give less.",
}
