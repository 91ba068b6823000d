from __future__ import annotations

import ssl
from pathlib import Path

from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST

from features.runtime.errors import XuanpinError
from features.runtime.refusals import RefusedByDiskError
from training.tracking.errors import (
    DatabaseRefusedError,
    DeletedExperimentError,
    DriverMissingError,
    FileStoreError,
    NotMlflowError,
    RecordLostError,
    SchemaVersionError,
    UnknownSchemeError,
    UnreadableAddressError,
    explain,
)

URI = "http://someone:secret@tracking:5000"
PLACE = "The training can't be recorded at http://tracking:5000: "
HERE = "unset MLFLOW_TRACKING_URI and tracking_uri to record in the run directory."
DATABASE = Path("var/run/mlflow.db")
GONE = MlflowException("Run with id=1 not found", RESOURCE_DOES_NOT_EXIST)
BUNDLE = Path("var/run/bundles/0123456789abcdef")

SENTENCES: list[tuple[XuanpinError, str]] = [
    (
        explain(URI, ValueError(f"no answer from {URI}")),
        f"{PLACE}no answer from http://tracking:5000. Start the tracking server, or {HERE}",
    ),
    (
        explain(URI, ConnectionRefusedError()),
        f"{PLACE}nothing listens there. Start the tracking server, or {HERE}",
    ),
    (
        explain(URI, TimeoutError()),
        f"{PLACE}the server doesn't answer in time. Start the tracking server, or {HERE}",
    ),
    (
        explain(URI, ssl.SSLError(1, "wrong version number")),
        (
            f"{PLACE}TLS fails (wrong version number). Write http:// if the server "
            "doesn't use TLS, or mend its TLS."
        ),
    ),
    (
        DriverMissingError("postgresql://me:secret@db/runs", "psycopg2"),
        (
            "The training can't be recorded at postgresql://db/runs: the Python package psycopg2 "
            f"isn't installed. Run `pip install psycopg2-binary`, or {HERE}"
        ),
    ),
    (
        UnknownSchemeError("htp://tracking:5000"),
        (
            "The training can't be recorded at htp://tracking:5000: MLflow has no tracking store "
            "called htp. Did you mean http://?"
        ),
    ),
    (
        UnreadableAddressError("sqlite:/x.db"),
        (
            "The training can't be recorded at sqlite:/x.db: the address isn't written as one. "
            "Write sqlite:///x.db for a file in this directory, and sqlite:////data/x.db for one "
            "in another."
        ),
    ),
    (
        UnreadableAddressError("postgresql://me:p%ss@db:port/runs"),
        (
            "The training can't be recorded at this address: the address isn't written as one. "
            "Write postgresql://user:password@host/database, with %40 for @, %2F for /, %3F for ? "
            "and %23 for # in the password."
        ),
    ),
    (
        explain("sqlite:///x.db", GONE),
        (
            "The training can't be recorded at sqlite:///x.db: the run or the experiment was "
            "deleted meanwhile. Don't delete it while the training runs."
        ),
    ),
    (
        explain("databricks", ValueError("Reading Databricks credential configuration failed")),
        (
            "The training can't be recorded at databricks: MLflow finds no login to Databricks. "
            f"Run `pip install databricks-sdk` and `databricks configure`, or {HERE}"
        ),
    ),
    (
        DeletedExperimentError("http://me:se/cret@tracking", "xuanpin", "3"),
        (
            "The training can't be recorded at this address: the experiment xuanpin was deleted "
            "there. Run `MLFLOW_TRACKING_URI=ADDRESS mlflow experiments restore --experiment-id "
            "3` with your tracking_uri in place of ADDRESS, or choose another experiment under "
            "[training] in the settings."
        ),
    ),
    (
        SchemaVersionError("postgresql://me:x@db/runs", installed="3.17.2", is_newer=False),
        (
            "The training can't be recorded at postgresql://db/runs: an older version of "
            "MLflow than 3.17.2, which is installed, made its tables. Make a copy of the database, "
            "then run `mlflow db upgrade postgresql://db/runs` with the login added to the address."
        ),
    ),
    (
        FileStoreError("file:///runs"),
        (
            "The training can't be recorded at file:///runs: MLflow no longer records in a "
            "directory of files. Set tracking_uri to a database such as sqlite:///mlflow.db; "
            "`mlflow migrate-filestore --help` says how earlier runs get there."
        ),
    ),
    (
        NotMlflowError(URI),
        (
            f"{PLACE}a web server answers there, but it isn't MLflow. Correct the address in "
            "tracking_uri or MLFLOW_TRACKING_URI: that of MLflow's page, without a # and what "
            "follows."
        ),
    ),
    (
        DeletedExperimentError(URI, "xuanpin", "3"),
        (
            f"{PLACE}the experiment xuanpin was deleted there. Run "
            "`MLFLOW_TRACKING_URI=http://tracking:5000 mlflow experiments restore --experiment-id "
            "3` with the login added to the address, or choose another experiment under "
            "[training] in the settings."
        ),
    ),
    (
        SchemaVersionError(f"sqlite:///{DATABASE}", installed="3.17.2", is_newer=False),
        (
            "The training can't be recorded at sqlite:///var/run/mlflow.db: an older version of "
            "MLflow than 3.17.2, which is installed, made its tables. Make a copy of the database, "
            "then run `mlflow db upgrade sqlite:///var/run/mlflow.db`."
        ),
    ),
    (
        SchemaVersionError(f"sqlite:///{DATABASE}", installed="3.17.2", is_newer=True),
        (
            "The training can't be recorded at sqlite:///var/run/mlflow.db: a newer version of "
            "MLflow than 3.17.2, which is installed, made its tables. Run `pip install --upgrade "
            "mlflow`, or install the version that made it."
        ),
    ),
    (
        DatabaseRefusedError(DATABASE, "the database is damaged", "Restore it from a backup."),
        (
            "The training can't be recorded at var/run/mlflow.db: the database is damaged. "
            "Restore it from a backup."
        ),
    ),
    (
        RecordLostError(BUNDLE, explain(URI, ConnectionRefusedError())),
        (
            "The bundle var/run/bundles/0123456789abcdef is written, but not in use. The training "
            "can't be recorded at http://tracking:5000: nothing listens there. Start the tracking "
            f"server, or {HERE} Then run the same command again: it reuses the finished stages."
        ),
    ),
    (
        RecordLostError(
            Path("var/run/bundles/0123456789abcdef"), RefusedByDiskError(OSError(28, ""))
        ),
        (
            "The bundle var/run/bundles/0123456789abcdef is written, but not in use. The disk is "
            "full. Free some space, or write to another disk. Then run the same command again: it "
            "reuses the finished stages."
        ),
    ),
]
