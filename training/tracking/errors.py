"""Say why a training can't be recorded, and the way out: one sentence a cause."""

from __future__ import annotations

import re
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from shlex import quote
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from features.runtime.errors import StorageError
from features.runtime.text import closest_match, escape, escape_path, join_names
from training.tracking.address import DATABASES, HIDDEN, hide_secrets, is_http, show_uri

SCHEMES: Final = ("http", "https", *DATABASES)
MAX_REASON: Final = 200

_RECORD_HERE: Final = "unset MLFLOW_TRACKING_URI and tracking_uri to record in the run directory"
_START: Final = f"Start the tracking server, or {_RECORD_HERE}."


class TrackingError(StorageError):
    """Report a tracking store that doesn't answer, or rejects a request."""

    def __init__(self, uri: str, reason: str, hint: str = _START) -> None:
        super().__init__(
            problem=f"The training can't be recorded at {show_uri(uri)}: {reason}.", hint=hint
        )


class DriverMissingError(TrackingError):
    """Ask for the package that connects to a database."""

    def __init__(self, uri: str, module: str) -> None:
        package = _PACKAGES.get(module, module)
        super().__init__(
            uri,
            f"the Python package {escape(module)} isn't installed",
            f"Run `pip install {quote(escape(package))}`, or {_RECORD_HERE}.",
        )


class UnreadableAddressError(TrackingError):
    """Refuse a tracking URI that can't be taken apart."""

    def __init__(self, uri: str) -> None:
        kind = re.split(r"[:+]", uri, maxsplit=1)[0].lower()
        super().__init__(uri, "the address isn't written as one", _FORMS.get(kind, _FORMS["http"]))


class UnknownSchemeError(TrackingError):
    """Refuse a tracking URI whose beginning MLflow doesn't know."""

    def __init__(self, uri: str) -> None:
        scheme = urlsplit(uri).scheme
        similar = closest_match(scheme, SCHEMES)
        super().__init__(
            uri,
            f"MLflow has no tracking store called {escape(scheme)}",
            f"Did you mean {similar}://?" if similar else f"Name one of {join_names(SCHEMES)}.",
        )


class FileStoreError(TrackingError):
    """Refuse a directory of runs, which MLflow no longer writes."""

    def __init__(self, uri: str) -> None:
        super().__init__(
            uri,
            "MLflow no longer records in a directory of files",
            "Set tracking_uri to a database such as sqlite:///mlflow.db; `mlflow "
            "migrate-filestore --help` says how earlier runs get there.",
        )


class DatabaseRefusedError(TrackingError):
    """Refuse a SQLite file that MLflow can't record in."""

    def __init__(self, path: Path, reason: str, hint: str) -> None:
        super().__init__(str(path), reason, hint)


class DeletedExperimentError(TrackingError):
    """Refuse to record in an experiment that was deleted."""

    def __init__(self, uri: str, name: str, experiment_id: str) -> None:
        restore = f"mlflow experiments restore --experiment-id {experiment_id}"
        super().__init__(
            uri,
            f"the experiment {escape(name)} was deleted there",
            f"Run `MLFLOW_TRACKING_URI={_quote_uri(uri)} {restore}`{_ask_for_login(uri)}, or "
            "choose another experiment under [training] in the settings.",
        )


class SchemaVersionError(TrackingError):
    """Refuse a database whose tables another version of MLflow made."""

    def __init__(self, uri: str, *, installed: str, is_newer: bool) -> None:
        age = "a newer" if is_newer else "an older"
        command = f"mlflow db upgrade {_quote_uri(uri)}"
        super().__init__(
            uri,
            f"{age} version of MLflow than {installed}, which is installed, made its tables",
            "Run `pip install --upgrade mlflow`, or install the version that made it."
            if is_newer
            else f"Make a copy of the database, then run `{command}`{_ask_for_login(uri)}.",
        )


def _quote_uri(uri: str) -> str:
    shown = show_uri(uri)
    return "ADDRESS" if shown == HIDDEN else quote(shown)


def _ask_for_login(uri: str) -> str:
    """Return what must be said of a command with an address from which something was removed."""
    shown = show_uri(uri)
    if shown == HIDDEN:
        return " with your tracking_uri in place of ADDRESS"
    return "" if shown == escape_path(uri) else " with the login added to the address"


class NotMlflowError(TrackingError):
    """Refuse the address of a web server that isn't MLflow."""

    def __init__(self, uri: str) -> None:
        super().__init__(
            uri,
            "a web server answers there, but it isn't MLflow",
            "Correct the address in tracking_uri or MLFLOW_TRACKING_URI: that of MLflow's page, "
            "without a # and what follows.",
        )


class RecordLostError(StorageError):
    """Report a trained bundle whose training couldn't be recorded."""

    def __init__(self, bundle: Path, cause: StorageError) -> None:
        super().__init__(
            problem=f"The bundle {escape_path(bundle)} is written, but not in use. {cause.problem}",
            hint=f"{cause.hint} Then run the same command again: it reuses the finished stages.",
        )


_PACKAGES: Final = {
    "psycopg": "psycopg[binary]",
    "psycopg2": "psycopg2-binary",
    "MySQLdb": "mysqlclient",
}
"""Modules to the packages that bring them, where the names differ."""

_FORMS: Final = {
    "http": "Write an address such as http://host:5000.",
    "sqlite": "Write sqlite:///x.db for a file in this directory, and sqlite:////data/x.db for one "
    "in another.",
    **{
        kind: f"Write {kind}://user:password@host/database, with %40 for @, %2F for /, %3F for ? "
        "and %23 for # in the password."
        for kind in DATABASES
        if kind != "sqlite"
    },
}
"""Kind of a tracking store to the hint that shows how its address is written."""

_LOGIN: Final = (
    "Set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN"
)


class _Fault(NamedTuple):
    """The reason, which may show the first cause as {detail}, and the hint."""

    reason: str
    hint: str = _START


_DELETED: Final = _Fault(
    "the run or the experiment was deleted meanwhile", "Don't delete it while the training runs."
)

_BY_STATUS: Final = {
    401: _Fault("the server asks for a login", f"{_LOGIN}."),
    403: _Fault(
        "the server refuses this login", f"{_LOGIN}, of a user who may write the experiment."
    ),
}

_BY_TYPE: Final = {
    "SSLCertVerificationError": _Fault(
        "its TLS certificate isn't trusted ({detail})",
        "Set MLFLOW_TRACKING_SERVER_CERT_PATH to the PEM file of the authority that signed it.",
    ),
    "SSLError": _Fault(
        "TLS fails ({detail})", "Write http:// if the server doesn't use TLS, or mend its TLS."
    ),
    "ProxyError": _Fault(
        "the proxy doesn't connect",
        "Correct HTTP_PROXY and HTTPS_PROXY, or add the server's name to NO_PROXY.",
    ),
    "gaierror": _Fault("no computer has this name", "Correct the name, or mend the network."),
    "ConnectionRefusedError": _Fault("nothing listens there"),
    "TimeoutError": _Fault("the server doesn't answer in time"),
    "RetryError": _Fault("the server has a fault ({detail})", "Read the tracking server's log."),
}
"""Name of an error's class among the causes to the fault; the first that is there counts."""

_SCHEMA: Final = re.compile(r"database schema \(found version (\w+),")


def explain(uri: str, error: Exception) -> TrackingError:
    """Return the error to show for one that MLflow, SQLAlchemy or the network raised."""
    causes = list(_causes(error))
    known = _explain_address(uri, error, causes)
    if known is not None:
        return known
    fault = _find_fault(error, causes) or _Fault("{detail}")
    return TrackingError(uri, fault.reason.format(detail=_first_line(uri, causes[-1])), fault.hint)


def _explain_address(
    uri: str, error: Exception, causes: list[BaseException]
) -> TrackingError | None:
    """Return the error for a store that can't work as it is addressed, None for other causes."""
    schema = _SCHEMA.search(str(error))
    if schema:
        return _explain_schema(uri, schema[1])
    missing = next((cause for cause in causes if isinstance(cause, ModuleNotFoundError)), None)
    if missing is not None:
        return DriverMissingError(uri, str(missing.name).partition(".")[0])
    if "unsupported URI" in str(error):
        return UnknownSchemeError(uri)
    if uri.startswith("databricks"):
        return _explain_databricks(uri, error)
    if urlsplit(uri).scheme in {"", "file"}:
        return FileStoreError(uri)
    return NotMlflowError(uri) if is_http(uri) and _is_not_mlflow(error) else None


def _explain_databricks(uri: str, error: Exception) -> TrackingError | None:
    if "credential configuration" not in str(error):
        return None
    hint = f"Run `pip install databricks-sdk` and `databricks configure`, or {_RECORD_HERE}."
    return TrackingError(uri, "MLflow finds no login to Databricks", hint)


def _find_fault(error: Exception, causes: list[BaseException]) -> _Fault | None:
    names = [type(cause).__name__ for cause in causes]
    for name, fault in _BY_TYPE.items():
        if name in names:
            return fault
    return _DELETED if _is_missing(error) else _BY_STATUS.get(_http_status(error))


def _is_missing(error: Exception) -> bool:
    """Return whether MLflow itself says that a run or an experiment isn't there."""
    return getattr(error, "error_code", None) == "RESOURCE_DOES_NOT_EXIST"


def _is_not_mlflow(error: Exception) -> bool:
    if "not in a valid JSON format" in str(error):
        return True
    return _http_status(error) == HTTPStatus.NOT_FOUND and not _is_missing(error)


def _http_status(error: Exception) -> int:
    """Return the status that MLflow's error holds, 0 for other errors."""
    return int(getattr(error, "get_http_status_code", int)())


def _explain_schema(uri: str, found: str) -> SchemaVersionError:
    """Tell an older schema from a newer one: MLflow has the steps from all older ones."""
    import mlflow  # noqa: PLC0415 - it is there, since it has raised the error

    steps = Path(mlflow.__file__).parent / "store" / "db_migrations" / "versions"
    is_older = any(steps.glob(f"{found}_*.py"))
    return SchemaVersionError(uri, installed=mlflow.__version__, is_newer=not is_older)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _first_line(uri: str, error: BaseException) -> str:
    """Return the beginning of an error's text, without the login that its URI may hold."""
    text = hide_secrets(uri, str(error)).strip().partition("\n")[0]
    return escape(text, MAX_REASON).rstrip(". ")
