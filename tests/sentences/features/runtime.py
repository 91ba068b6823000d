"""Errors of features/runtime as they are printed."""

from __future__ import annotations

import errno
import tempfile
from pathlib import Path

from features.runtime.arguments import NotUtf8ArgumentError
from features.runtime.atomic import ForeignDirectoryError, OverlapError
from features.runtime.errors import XuanpinError
from features.runtime.pointer import PointerError
from features.runtime.refusals import NotEnoughMemoryError, QueryTooLargeError, RefusedByDiskError
from features.runtime.settings import (
    InvalidSettingError,
    MisplacedSettingError,
    MissingSettingError,
    UnknownSettingError,
)
from features.runtime.toml_file import UnreadableSettingsError

HERE = Path(__file__)


def _refuse(number: int, path: str | None = None) -> RefusedByDiskError:
    return RefusedByDiskError(OSError(number, "", path))


SENTENCES: list[tuple[XuanpinError, str]] = [
    (
        ForeignDirectoryError(HERE),
        (
            f"The path {HERE} is a file, not a directory. "
            "Name another directory, or move what is there."
        ),
    ),
    (
        OverlapError(Path("data"), Path("data")),
        "Writing data would replace its own source, data. Name another directory to write.",
    ),
    (
        PointerError(Path("var/bundles"), "it has no file CURRENT"),
        (
            "Nothing is in use in var/bundles: it has no file CURRENT. "
            "Check the path, or publish with `xuanpin run`, or a snapshot with "
            "`xuanpin features materialise`."
        ),
    ),
    (
        QueryTooLargeError(),
        (
            "A query needs more memory, and more temporary space in "
            f"{tempfile.gettempdir()}, than there is. "
            "Free space there, set TMPDIR to another directory, or give fewer rows at a time."
        ),
    ),
    (
        NotEnoughMemoryError(Path("data/orders.xlsx")),
        (
            "There isn't enough memory to read the file orders.xlsx. "
            "Close other programs, use a larger machine, or give fewer rows at a time."
        ),
    ),
    (
        NotEnoughMemoryError(),
        (
            "There isn't enough memory to go on. "
            "Close other programs, use a larger machine, or give fewer rows at a time."
        ),
    ),
    (
        UnreadableSettingsError(Path("x.toml"), "there is no such file"),
        (
            "The settings file x.toml can't be read: there is no such file. Write a TOML file with "
            "sections such as [horizons] and lines such as horizon_days = 28."
        ),
    ),
    (
        UnreadableSettingsError(Path("x.toml"), "it is written in UTF-16", "Save it as UTF-8."),
        "The settings file x.toml can't be read: it is written in UTF-16. Save it as UTF-8.",
    ),
    (
        NotUtf8ArgumentError("\udcff.csv"),
        (
            "The argument \\udcff.csv isn't UTF-8, so the file's name can't be passed on to the "
            "libraries that read and write tables. "
            "Rename the file or the directory, for instance with `mv`, or give a link to it."
        ),
    ),
    (
        MisplacedSettingError("port", "[training] of x.toml", "serving"),
        (
            "The setting port in [training] of x.toml belongs to the section [serving]. "
            "Write it under [serving] in the file, or set XUANPIN_SERVING__PORT."
        ),
    ),
    (
        UnknownSettingError("siez", "[training] of x.toml", ["size", "name"]),
        (
            "The setting siez in [training] of x.toml is unknown. Known settings: name, size. "
            "Did you mean size?"
        ),
    ),
    (
        UnknownSettingError("colour", "x.toml", ["size", "name"]),
        (
            "The setting colour in x.toml is unknown. Known settings: name, size. "
            "Remove it or correct its name."
        ),
    ),
    (
        InvalidSettingError("training.size", "the flag --size", "greater than or equal to 1"),
        (
            "The setting training.size in the flag --size should be greater than or equal to 1. "
            "Correct it, or remove it to use the default."
        ),
    ),
    (
        MissingSettingError("serving", "run"),
        (
            "The setting serving.run has no value and no default. "
            "Write it under [serving] in the file, or set XUANPIN_SERVING__RUN."
        ),
    ),
    (
        _refuse(errno.ENOSPC, "/data/out"),
        "The disk is full: /data/out. Free some space, or write to another disk.",
    ),
    (_refuse(errno.ENOSPC), "The disk is full. Free some space, or write to another disk."),
    (
        _refuse(errno.EDQUOT),
        "The disk quota is used up. Free some space, or write to another disk.",
    ),
    (
        _refuse(errno.EFBIG, "/x"),
        (
            "The file exceeds the system's limit on file sizes: /x. "
            "Raise the limit (`ulimit -f`), or write to another disk."
        ),
    ),
    (_refuse(errno.EROFS, "/x"), "The disk is read-only: /x. Write to another disk."),
    (
        _refuse(errno.EACCES, "/x"),
        "Permission denied: /x. Change the permissions, or choose another path.",
    ),
    (
        _refuse(errno.EPERM, "/x"),
        "Permission denied: /x. Change the permissions, or choose another path.",
    ),
    (
        _refuse(errno.ENOTDIR, "/x"),
        "A part of the path is a file, not a directory: /x. Choose another path.",
    ),
    (_refuse(errno.EISDIR, "/x"), "The path is a directory, not a file: /x. Name a file."),
    (_refuse(errno.EEXIST, "/x"), "The path exists already: /x. Choose another path."),
    (_refuse(errno.ENOTEMPTY, "/x"), "The directory isn't empty: /x. Choose another path."),
    (
        _refuse(errno.ENOENT, "/x"),
        "There is no such file or directory: /x. Create it, or choose another path.",
    ),
    (
        _refuse(errno.ENAMETOOLONG, "/x"),
        "The name is too long for the disk: /x. Choose a shorter path.",
    ),
    (_refuse(errno.EIO, "/x"), "The disk reports an input/output error: /x. Check the disk."),
]
