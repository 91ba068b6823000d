"""The refusals of keys and signatures, as they are printed."""

from __future__ import annotations

from pathlib import Path

from features.runtime.errors import XuanpinError
from features.runtime.signature import KeyExistsError, KeyRefusedError, SignatureRefusedError

SENTENCES: list[tuple[XuanpinError, str]] = [
    (
        SignatureRefusedError("bundle", "0123456789abcdef", "it has no manifest.sig"),
        (
            "The bundle is not signed with the key 0123456789abcdef: it has no manifest.sig. "
            "Sign it with `xuanpin bundle sign` if you made it; otherwise don't use it."
        ),
    ),
    (
        SignatureRefusedError("snapshot", "0123456789abcdef", "it has no snapshot.sig"),
        (
            "The snapshot is not signed with the key 0123456789abcdef: it has no snapshot.sig. "
            "Sign it with `xuanpin bundle sign` if you made it; otherwise don't use it."
        ),
    ),
    (
        KeyRefusedError(
            Path("keys/xuanpin.key"), "it is a key of the kind RSA, not of the kind Ed25519"
        ),
        (
            "The file keys/xuanpin.key can't be used as a key: it is a key of the kind RSA, not of "
            "the kind Ed25519. "
            "Name an Ed25519 key in PEM form; `xuanpin bundle keygen --out DIR` makes a pair."
        ),
    ),
    (
        KeyExistsError(Path("keys/xuanpin.key")),
        "The key keys/xuanpin.key exists already and is not overwritten. Choose another --out.",
    ),
]
