"""H40: e-mail addresses and phone numbers in raw tables go no further than the checked tables.

The real command runs on a simulated market with such values planted in titles, in columns that
the contract doesn't know and in place of identifiers; then every byte it wrote or printed is
searched. What is kept under validated/ is the data themselves, and not searched.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from experiments.simulator.configuration.configuration import Simulation
from experiments.simulator.tables.simulate import simulate
from tests.worlds.processes import COMMAND, run_program

MARKET = Simulation(products=100, chunk_products=100, markets=("US", "DE"), days=330)
SETTINGS = "[training]\ntrees = 20\nboosters = 1\nmin_positives = 5\nmin_rows = 30\n"
TITLE = ("title.wong@example.com", "+86 138 0013 8000")
REVIEW = ("review.kim@example.org", "+49-30-901820")
EXTRA = ("extra.smith@example.net", "(415) 555-2671")
BUYER = ("buyer.jones@example.com", "+1 202 555 0143")
LISTING = ("listing.lee@example.com",)
CREATOR = ("creator.moss@example.com",)
CATEGORY = ("category.roy@example.com",)
SECRETS = (*TITLE, *REVIEW, *EXTRA, *BUYER, *LISTING, *CREATOR, *CATEGORY)


def _said(secrets: tuple[str, ...]) -> str:
    return f"Ask {' or '.join(secrets)} today"


def _planted(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Plant what a careless export holds; every tenth row gets a spoilt identifier."""
    some = frame.index % 10 == 0
    if name == "products":
        frame["title"] = _said(TITLE)
        spoilt = frame.head(3).assign(category=CATEGORY[0])
        spoilt["product_id"] = [f"planted-{row}" for row in range(len(spoilt))]
        return pd.concat([frame, spoilt], ignore_index=True)
    if name == "listings":
        spoilt = frame.head(1).assign(listing_id=LISTING[0])
        return pd.concat([frame, spoilt], ignore_index=True)
    if name == "orders":
        frame["buyer_contact"] = _said(EXTRA)
        frame.loc[some, "buyer_key"] = BUYER[1]
        frame.loc[frame.index % 50 == 1, "buyer_key"] = BUYER[0]
    if name == "reviews":
        frame["text"] = _said(REVIEW)
    if name == "videos":
        frame.loc[some, "creator_id"] = CREATOR[0]
    return frame


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("personal") / "market"
    simulate(MARKET, directory)
    for path in directory.rglob("*.parquet"):
        name = path.relative_to(directory).parts[0].removesuffix(".parquet")
        _planted(name, pd.read_parquet(path)).to_parquet(path, index=False)
    return directory


def contents(directory: Path) -> Iterator[tuple[str, bytes]]:
    """Yield every file of a directory with its bytes; those of Parquet unpacked as well."""
    for path in sorted(directory.rglob("*")):
        if path.is_file():
            yield str(path.relative_to(directory)), path.read_bytes()
            if path.suffix == ".parquet":
                table = pq.read_table(path)
                unpacked = table.to_pandas().to_csv() + str(table.schema)
                yield f"{path.relative_to(directory)} unpacked", unpacked.encode()


def leaks(files: Iterable[tuple[str, bytes]]) -> set[tuple[str, str]]:
    """Return (file, secret) for each secret found."""
    return {(name, one) for name, data in files for one in SECRETS if one.encode() in data}


def test_planted_personal_data_are_in_nothing_that_a_run_makes(source: Path) -> None:
    assert {secret for _, secret in leaks(contents(source))} == set(SECRETS)
    out, config = source.parent / "run", source.parent / "xuanpin.toml"
    config.write_text(SETTINGS)
    words = ["run", "--data", source, "--out", out, "--config", config]
    code, stdout, stderr = run_program(COMMAND, *words)
    assert code == 0, stderr
    printed = [("stdout", stdout.encode()), ("stderr", stderr.encode())]
    made = [pair for pair in contents(out) if not pair[0].startswith("validated/")]
    made = [*made, *printed, ("report", (out / "validated" / "report.json").read_bytes())]
    names = {name for name, _ in made}
    assert {"mlflow.db", "training_rows.parquet unpacked", "stderr"} <= names
    for part in ("bundles/", "snapshots/", "artifacts/"):
        assert any(part in name for name in names), part
    assert leaks(made) == set()
