"""The refusals of bundles and snapshots, as they are printed."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from features.runtime.errors import XuanpinError
from serving import errors
from serving.bundle.manifest import FORMAT_CHANGES

MAKE_ANOTHER = "Make a new bundle with `xuanpin run`; earlier bundles stay usable."

SENTENCES: list[tuple[XuanpinError, str]] = [
    (
        errors.NotABundleError(Path("var/runs"), "it has no manifest.json"),
        (
            "The path var/runs is not a bundle: it has no manifest.json. "
            "Name a bundle directory that `xuanpin run` wrote."
        ),
    ),
    (
        errors.NotABundleError(Path("a\x1b[2Jb"), "it is a symbolic link"),
        (
            "The path a\\x1b[2Jb is not a bundle: it is a symbolic link. "
            "Name a bundle directory that `xuanpin run` wrote."
        ),
    ),
    (
        errors.NewerFormatError(known=6, actual=7),
        (
            "The bundle has format 7; this version of xuanpin reads format 6. "
            "Install the version of xuanpin that wrote it, or make a new bundle with `xuanpin run`."
        ),
    ),
    (
        errors.OlderFormatError(known=6, actual=4, changes=[FORMAT_CHANGES[5], FORMAT_CHANGES[6]]),
        (
            "The bundle has format 4; this version of xuanpin reads format 6. "
            "Format 5 adds the calendar of seasonal uplift. "
            "Format 6 renames coverage, difficulty and uplift. "
            "Make a new bundle with `xuanpin run`; an old one can't be converted."
        ),
    ),
    (
        errors.UnexpectedFileError("model.pkl", "a bundle uses no such name"),
        "The bundle can't have the file 'model.pkl': a bundle uses no such name. " + MAKE_ANOTHER,
    ),
    (
        errors.MissingFileError("conformal.json"),
        "The bundle has no file conformal.json. " + MAKE_ANOTHER,
    ),
    (
        errors.TooLargeError("MODEL_CARD.md", limit=1_048_576, actual=1_048_577),
        "The size of MODEL_CARD.md is 1,048,577 bytes; at most 1,048,576 are allowed. "
        + MAKE_ANOTHER,
    ),
    (
        errors.DigestMismatchError("pooling.json", expected="a" * 64, actual="b" * 64),
        "The file pooling.json has changed since the bundle was written: the manifest has the "
        "SHA-256 aaaaaaaaaaaaaaaa…, the file bbbbbbbbbbbbbbbb…. " + MAKE_ANOTHER,
    ),
    (
        errors.WrongIdError(Path("var/run/bundles/copy"), "0123456789abcdef"),
        (
            "The directory var/run/bundles/copy doesn't have the name 0123456789abcdef, which its "
            "manifest.json gives a bundle: the file was changed, or the directory was renamed. "
            "If you renamed or copied it, name it 0123456789abcdef; otherwise make a new bundle "
            "with `xuanpin run`."
        ),
    ),
    (
        errors.MarketsMismatchError(bundle=["GB", "US"], snapshot=["CN"]),
        (
            "The bundle learned from the markets GB, US; the snapshot has only CN. Materialise the "
            "data that the bundle was trained on: `xuanpin features materialise`."
        ),
    ),
    (
        errors.TooFarApartError(bundle=date(2024, 3, 1), snapshot=date(2026, 3, 1), allowed=90),
        (
            "The snapshot of 2026-03-01 is 730 days after 2024-03-01, where the bundle's data end; "
            "serving.max_snapshot_age_days allows 90. Train again with `xuanpin run`."
        ),
    ),
    (
        errors.TooFarApartError(bundle=date(2026, 3, 1), snapshot=date(2024, 3, 1), allowed=90),
        (
            "The snapshot of 2024-03-01 is 730 days before 2026-03-01, where the bundle's data "
            "end; serving.max_snapshot_age_days allows 90. Make a newer snapshot with `xuanpin "
            "features materialise`."
        ),
    ),
    (
        errors.BrokenFileError("schema.json", "its horizons are out of bounds"),
        "The bundle has a fault in schema.json: its horizons are out of bounds. " + MAKE_ANOTHER,
    ),
    (
        errors.BrokenFileError("manifest.json", "Object contains unknown field `\x1b[2J`"),
        "The bundle has a fault in manifest.json: Object contains unknown field `\\x1b[2J`. "
        + MAKE_ANOTHER,
    ),
    (
        errors.CatalogueMismatchError("snapshot", expected="a" * 64, actual="f" * 64),
        (
            "The snapshot was made for another feature catalogue (ffffffffffffffff…) than this "
            "program's (aaaaaaaaaaaaaaaa…). Train and materialise again with this version: "
            "`xuanpin run`."
        ),
    ),
    (
        errors.HorizonsMismatchError(bundle="horizon_days 28", snapshot="horizon_days 14"),
        (
            "The bundle and the snapshot have different horizons in days: horizon_days 28 in the "
            "bundle, horizon_days 14 in the snapshot. "
            "Materialise and train with one configuration: `xuanpin run`."
        ),
    ),
    (
        errors.CanaryError("sell_through estimate is off by 0.1"),
        "The bundle fails its canary test: sell_through estimate is off by 0.1. " + MAKE_ANOTHER,
    ),
    (
        errors.CanaryError("a child process reports: The bundle has no file conformal.json."),
        "The bundle fails its canary test: a child process reports: The bundle has no file "
        "conformal.json. " + MAKE_ANOTHER,
    ),
    (
        errors.InvalidPredictionError("sell_through", 1),
        (
            "The model of sell_through gives 1 row a prediction that is not a finite number. Serve "
            "an earlier bundle, and report this one."
        ),
    ),
]
