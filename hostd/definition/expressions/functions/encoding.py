"""JSON, base64, URLs, hashes: texts in, texts out."""

from __future__ import annotations

import base64
import binascii
import hashlib
import urllib.parse
from typing import Any

from hostd.definition.expressions.functions.registry import Family
from hostd.definition.expressions.kinds import ANY, TEXT
from hostd.definition.expressions.leaving import leave
from hostd.definition.expressions.limits import Evaluation
from hostd.definition.expressions.problems import Problem
from hostd.errors.base import HostdError
from hostd.values.json_text import dump_json, parse_json

ENCODING = Family("Encoding and hashes")

_MAX_JSON_BYTES = 262_144


@ENCODING.function(
    "json.parse", "json.parse(text)", takes=(TEXT,), example="json.parse('{\"a\": [1, 2]}').a", gives="[1,2]"
)
def _json_parse(run: Evaluation, text: str) -> Any:
    """The value of JSON text."""
    run.walk_chars(16 * len(text))
    run.make(4 * len(text))
    try:
        return parse_json(text)
    except HostdError as error:
        raise Problem(f"the text is not JSON: {error.message[:200]}") from None


@ENCODING.function(
    "json.format", "json.format(x)", takes=(ANY,), example="json.format({'a': [1, null]})", gives='"{\\"a\\":[1,null]}"'
)
def _json_format(run: Evaluation, value: Any) -> str:
    """A value as JSON text, without spaces."""
    text = dump_json(leave(value, _MAX_JSON_BYTES)).decode("utf-8")
    run.make_chars(len(text))
    run.walk_chars(16 * len(text))
    return text


@ENCODING.function("base64.encode", "base64.encode(text)", takes=(TEXT,), example="base64.encode('hi')", gives='"aGk="')
def _base64_encode(run: Evaluation, text: str) -> str:
    """Base64 of a text's UTF-8."""
    data = text.encode("utf-8")
    run.make_chars(4 * len(data) // 3 + 4)
    return base64.b64encode(data).decode("ascii")


@ENCODING.function("base64.decode", "base64.decode(text)", takes=(TEXT,), example="base64.decode('aGk')", gives='"hi"')
def _base64_decode(run: Evaluation, text: str) -> str:
    """The text whose UTF-8 the base64 holds; padding may be left out."""
    run.make_chars(len(text))
    try:
        padded = text.rstrip("=")
        data = base64.b64decode(padded + "=" * (-len(padded) % 4), validate=True)
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise Problem("the decoded bytes are not text in UTF-8") from None
    except (binascii.Error, ValueError):
        raise Problem("the text is not base64") from None


@ENCODING.function("url.encode", "url.encode(text)", takes=(TEXT,), example="url.encode('a b/c')", gives='"a%20b%2Fc"')
def _url_encode(run: Evaluation, text: str) -> str:
    """A text percent-encoded, for one part of a URL."""
    run.make_chars(3 * len(text.encode("utf-8")))
    return urllib.parse.quote(text, safe="")


@ENCODING.function("url.decode", "url.decode(text)", takes=(TEXT,), example="url.decode('a%20b')", gives='"a b"')
def _url_decode(run: Evaluation, text: str) -> str:
    """A percent-encoded text decoded."""
    run.make_chars(2 * len(text))
    try:
        return urllib.parse.unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise Problem("the decoded bytes are not text in UTF-8") from None


def _data(run: Evaluation, text: str) -> bytes:
    run.walk_chars(2 * len(text))
    return text.encode("utf-8")


@ENCODING.function("sha256", "sha256(text)", takes=(TEXT,), example="sha256('a').substring(0, 8)", gives='"ca978112"')
def _sha256(run: Evaluation, text: str) -> str:
    """SHA-256 of a text's UTF-8, in hex."""
    return hashlib.sha256(_data(run, text)).hexdigest()


@ENCODING.function("sha512", "sha512(text)", takes=(TEXT,), example="sha512('a').substring(0, 8)", gives='"1f40fc92"')
def _sha512(run: Evaluation, text: str) -> str:
    """SHA-512 of a text's UTF-8, in hex."""
    return hashlib.sha512(_data(run, text)).hexdigest()


@ENCODING.function("blake2b", "blake2b(text)", takes=(TEXT,), example="size(blake2b('a'))", gives="64")
def _blake2b(run: Evaluation, text: str) -> str:
    """BLAKE2b (256 bits) of a text's UTF-8, in hex."""
    return hashlib.blake2b(_data(run, text), digest_size=32).hexdigest()


@ENCODING.function("md5", "md5(text)", takes=(TEXT,), example="md5('a').substring(0, 8)", gives='"0cc175b9"')
def _md5(run: Evaluation, text: str) -> str:
    """MD5 of a text's UTF-8, in hex: for old interfaces, never for safety."""
    return hashlib.md5(_data(run, text), usedforsecurity=False).hexdigest()
