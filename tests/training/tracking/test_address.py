"""Addresses of tracking stores are shown without their logins, wherever these stand."""

from __future__ import annotations

import pytest
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import ENDPOINT_NOT_FOUND, RESOURCE_DOES_NOT_EXIST

from training.tracking.address import HIDDEN, hide_secrets, show_uri
from training.tracking.errors import NotMlflowError, explain

LEAKS = {
    "postgresql://h/db?user=u&password=secret": "postgresql://h/db",
    "postgresql://u:pa/secret@h/db": "postgresql://h/db",
    "postgresql+psycopg://u:secret#pa@h:5432/db": "postgresql+psycopg://h:5432/db",
    "postgresql://u:secret?pa@h/db": "postgresql://h/db",
    "postgresql://u:pa@secret@h/db": HIDDEN,
    "postgresql://u:pa@b/secret@h/db": HIDDEN,
    "postgresql://u:secret@h:notaport/db": HIDDEN,
    "mssql+pyodbc:///?odbc_connect=UID%3Du%3BPWD%3Dsecret": "mssql+pyodbc:///",
    "http://u:secret@h:5000/x?token=secret#secret": "http://h:5000/x",
    "HTTPS://secret@h": "https://h",
    "http://u:pa/secret@h": HIDDEN,
    "http://u:secret/x@h": HIDDEN,
    "http://u:secret#x@h": HIDDEN,
    "http://u:secret?x@h": HIDDEN,
    "sqlite://u:secret@h/x.db": HIDDEN,
    "sqlite:////a@b/x.db?key=secret": "sqlite:////a@b/x.db",
    "postgres://u:secret/x@h/db": HIDDEN,
    "me:secret@h/db": HIDDEN,
    "//u:secret@h": "//h",
}


@pytest.mark.parametrize(("uri", "shown"), LEAKS.items())
def test_address_is_shown_without_its_login(uri: str, shown: str) -> None:
    assert show_uri(uri) == shown
    error = explain(uri, ValueError(f"can't open {uri} with 'secret' (secret)"))
    assert "secret" not in str(error)


@pytest.mark.parametrize(
    "uri", ["sqlite:x.db", "sqlite:////a b/%25/x.db", "databricks", "./runs", "http://h:5000/x"]
)
def test_address_without_a_login_is_shown_as_it_is(uri: str) -> None:
    assert show_uri(uri) == uri
    assert hide_secrets(uri, f"can't open {uri}") == f"can't open {uri}"


@pytest.mark.parametrize(
    ("uri", "code", "says"),
    [
        ("http://h", ENDPOINT_NOT_FOUND, "it isn't MLflow"),
        ("http://h", RESOURCE_DOES_NOT_EXIST, "was deleted meanwhile"),
        ("sqlite:///x.db", RESOURCE_DOES_NOT_EXIST, "was deleted meanwhile"),
        ("postgresql://h/db", ENDPOINT_NOT_FOUND, "no answer"),
    ],
)
def test_what_isnt_found_is_told_from_a_server_that_isnt_mlflow(
    uri: str, code: int, says: str
) -> None:
    error = explain(uri, MlflowException("no answer", code))
    assert says in str(error)
    assert isinstance(error, NotMlflowError) == ("isn't MLflow" in says)
