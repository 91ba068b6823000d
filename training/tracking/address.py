"""The address of a tracking store, as a person may see it: without login and query."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote_plus, urlsplit, urlunsplit

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from features.runtime.text import escape_path

DATABASES: Final = ("sqlite", "postgresql", "mysql", "mssql")
HIDDEN: Final = "this address"
"""What is shown of an address that can't be told from its login."""


def is_database(uri: str) -> bool:
    """Return True for the URI of a database, whatever its driver."""
    return re.split(r"[:+]", uri, maxsplit=1)[0].lower() in DATABASES


def is_http(uri: str) -> bool:
    """Return True for the address of a server."""
    return uri.lower().startswith(("http://", "https://"))


def is_readable(uri: str) -> bool:
    """Return whether an address can be taken apart, as its store will do."""
    try:
        if not is_database(uri):
            return bool(urlsplit(uri))
        url = make_url(uri)
        return url.get_backend_name() != "sqlite" or not url.host
    except (ArgumentError, ValueError):
        return False


def show_uri(uri: str) -> str:
    """Return a tracking URI for a person, without its login and its query.

    >>> show_uri("postgresql://me:pa/ss@host/runs?password=secret")
    'postgresql://host/runs'
    >>> show_uri("http://me:pa/ss@host")
    'this address'
    """
    try:
        shown = _without_secrets(uri)
    except (ArgumentError, ValueError):
        return HIDDEN
    return escape_path(shown)


def hide_secrets(uri: str, text: str) -> str:
    """Return a text that may quote a tracking URI, or a part of it, without its secrets."""
    rest = uri.partition("://")[2] or uri
    login, _, place = ("", "", rest) if rest.startswith("/") else rest.rpartition("@")
    query = unquote_plus(place.partition("?")[2])
    parts = re.split(r"[:/?#@]", login)  # a store may have taken a part for the port or the path
    found = {login, login.partition(":")[2], *parts, *re.findall(r"=([^;&=]+)", query)}
    secrets = {form for one in found for form in (one, unquote_plus(one)) if form}
    text = text.replace(uri, show_uri(uri))
    for secret in sorted(secrets, key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", "***", text)
    return text


def _without_secrets(uri: str) -> str:
    """Return what is left of a URI.

    Raises:
        ValueError: a part of the login may be left, because it has a character of another part.
    """
    if re.match(r"sqlite\b", uri, re.IGNORECASE):
        # A path stays as it is written: MLflow and SQLAlchemy differ in what they decode.
        shown = uri.partition("?")[0]
        may_leak = bool(urlsplit(shown).netloc)
    elif is_database(uri):
        url = make_url(uri)
        place = URL.create(url.drivername, host=url.host, port=url.port, database=url.database)
        shown = place.render_as_string(hide_password=True)
        may_leak = "@" in f"{url.host}{url.database}"
    else:
        parts = urlsplit(uri)
        host = parts.netloc.rpartition("@")[2]
        shown = urlunsplit(parts._replace(netloc=host, query="", fragment=""))
        may_leak = "@" in f"{parts.path}{parts.query}{parts.fragment}"
    if may_leak:
        raise ValueError("a part of the login may be left")
    return shown
