"""The catalogue's page and commands: current, complete, bounded, and helpful about wrong names."""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from contextlib import redirect_stdout
from functools import cache
from pathlib import Path

import pytest
from typer.main import get_command

import xuanpin
from features.catalogue.catalogue import CATALOGUE
from features.catalogue.choose import FeatureFilter, UnknownNameError, choose, resolve_name
from features.catalogue.describe import describe
from features.catalogue.lineage import (
    all_declarations,
    dependants,
    infer_level,
    source_tables,
    sources,
    varying_level,
)
from features.catalogue.page import COMMAND, catalogue_page
from features.contract.tables import TABLE_BY_NAME
from features.declarations.kinds import Derived, FeatureDeclaration, FeatureFamily, RequestField
from features.declarations.levels import Level

PAGE = Path(__file__).parents[3] / "features" / "CATALOG.md"
DECLARED = all_declarations(CATALOGUE)
BY_NAME = {declared.name: declared for declared in DECLARED}


# Typer reads the signatures of all commands anew for each of its test runner's calls.
command_line = cache(get_command)


def features(*arguments: str) -> str:
    with redirect_stdout(io.StringIO()) as printed:
        code = command_line(xuanpin.app).main(["features", *arguments], standalone_mode=False)
    assert not code
    return printed.getvalue()


def test_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == catalogue_page(CATALOGUE), f"run `{COMMAND}`"


def test_page_has_one_complete_row_for_each_feature() -> None:
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if "`" in line[:3]]
    cells = [re.split(r" \| ", line.strip("| ")) for line in lines]
    rows = {row[0].strip("`"): row for row in cells if len(row) == 7}
    assert list(rows) == [
        declared.name
        for family in FeatureFamily
        for declared in DECLARED
        if declared.family is family
    ]
    assert all(all(row) for row in rows.values())


def test_catalogue_is_wide_and_every_family_of_inputs_has_several_levels() -> None:
    assert len(CATALOGUE.features) >= 90
    levels = {(declared.family, infer_level(CATALOGUE, declared)) for declared in DECLARED}
    counts = Counter(family for family, _ in levels)
    assert all(counts[declared.family] >= 2 for declared in CATALOGUE.inputs)
    assert set(counts) == set(FeatureFamily)


@pytest.mark.parametrize("declared", DECLARED, ids=lambda declared: declared.name)
def test_description_reads_as_one_sentence(declared: FeatureDeclaration) -> None:
    words = declared.description
    assert not re.search(r"\bmarkets's|\bcategory's|\bvideo's|  |\.\.|,,| ,|[{}_]", words)
    assert words.count(".") == 1 or re.search(r"\d\.\d", words)
    days = re.search(r"_(\d+)d$", declared.name)
    has_days = days is None or f"{days.group(1)} days" in words
    assert has_days or "last 28." in words or declared.name.startswith("demand_pace")


@pytest.mark.parametrize(
    ("name", "level", "varies", "tables"),
    [
        ("units_offered", None, Level.LISTING, ()),
        ("units_ordered_28d", Level.LISTING, Level.LISTING, ("orders",)),
        ("return_rate_180d", Level.LISTING, Level.LISTING, ("orders", "returns")),
        ("pooled_return_rate_180d", Level.LISTING, Level.LISTING, ("orders", "returns")),
        ("units_per_click_84d", Level.LISTING, Level.LISTING, ("orders", "videos", "video_stats")),
        ("followers_creator", Level.CREATOR, Level.CREATOR, ("creator_stats",)),
        ("certificates_held", Level.LISTING, Level.LISTING, ("requirements", "localisation")),
        (
            "relative_price_category_market_84d",
            Level.CATEGORY_MARKET,
            Level.LISTING,
            ("orders",),
        ),
    ],
)
def test_lineage_of_a_feature(
    name: str, level: Level | None, varies: Level, tables: tuple[str, ...]
) -> None:
    declared = BY_NAME[name]
    assert infer_level(CATALOGUE, declared) is level
    assert varying_level(CATALOGUE, declared) is varies
    assert source_tables(CATALOGUE, declared) == tables


@pytest.mark.parametrize("declared", DECLARED, ids=lambda declared: declared.name)
def test_sources_are_not_derived_and_tables_are_in_the_contract(
    declared: FeatureDeclaration,
) -> None:
    assert sources(CATALOGUE, declared)
    assert not any(isinstance(source, Derived) for source in sources(CATALOGUE, declared))
    assert set(source_tables(CATALOGUE, declared)) <= set(TABLE_BY_NAME)
    for user in dependants(CATALOGUE, declared):
        assert declared.name in BY_NAME[user].inputs  # type: ignore[attr-defined]  # users are derived


@pytest.mark.parametrize("declared", DECLARED, ids=lambda declared: declared.name)
def test_describe_shows_the_whole_declaration(declared: FeatureDeclaration) -> None:
    facts = json.loads(features("describe", declared.name, "--json"))
    for field in ("name", "description", "unit", "family", "low", "high"):
        assert facts[field] == getattr(declared, field)
    assert facts["kind"] == type(declared).__name__
    assert len(facts["kind_means"]) > 20
    for field in ("measure", "column", "prefix", "days", "share", "signal"):
        assert facts.get(field) == getattr(declared, field, None)
    assert facts["empty_history"]
    assert (facts["level"] == "request") == isinstance(declared, RequestField)


@pytest.mark.parametrize("declared", DECLARED, ids=lambda declared: declared.name)
def test_describe_prints_every_feature(declared: FeatureDeclaration) -> None:
    page = features("describe", declared.name)
    assert page.startswith(f"{declared.name}\n")
    assert " ".join(declared.description.split()) in " ".join(page.split())


def test_describe_prints_constants() -> None:
    assert re.search(r"^constants +28\.0 *$", features("describe", "demand_pace_28d"), re.MULTILINE)


def test_describe_prints_one_line_for_each_fact() -> None:
    page = features("describe", "units_ordered_28d")
    assert page.startswith("units_ordered_28d\nUnits of the listing ordered in the last 28 days.\n")
    facts = dict(re.findall(r"^(\w[\w ]*?) {2,}(.*?) *$", page, re.MULTILINE))
    assert facts["kind"].startswith("Windowed: Sum a measure over the events")
    assert facts["bounds"] == "≥ 0; null where it can't be known"
    assert facts["keys"] == "listing_id"
    assert facts["tables"] == "orders"
    assert facts["days"] == "28"
    assert facts["without history"] == "0; null where a table it needs is absent"
    assert "demand_pace_28d" in facts["used by"]


def test_list_in_a_pipe_has_a_line_a_feature() -> None:
    page = features("list")
    lines = {line.partition(" ")[0]: line for line in page.splitlines()}
    assert all(declared.description in lines[declared.name] for declared in DECLARED)
    assert "\x1b" not in page


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (
            FeatureFilter(family="creator reviews"),
            lambda declared: declared.family is FeatureFamily.CREATORS,
        ),
        (
            FeatureFilter(family="Creator-Reviews"),
            lambda declared: declared.family is FeatureFamily.CREATORS,
        ),
        (FeatureFilter(family="price"), lambda declared: declared.family is FeatureFamily.PRICE),
        (FeatureFilter(kind="requestfield"), lambda declared: isinstance(declared, RequestField)),
        (
            FeatureFilter(level="market"),
            lambda declared: infer_level(CATALOGUE, declared) is Level.MARKET,
        ),
        (
            FeatureFilter(level="supplier", family="returns"),
            lambda declared: (
                declared.family is FeatureFamily.RETURNS
                and infer_level(CATALOGUE, declared) is Level.SUPPLIER
            ),
        ),
        (FeatureFilter(), lambda _: True),
    ],
)
def test_choose_filters_features(choice: FeatureFilter, expected) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001 - a predicate
    assert [description.declared for description in choose(CATALOGUE, choice)] == [
        declared for declared in DECLARED if expected(declared)
    ]


def test_list_as_json_equals_describe() -> None:
    document = json.loads(features("list", "--level", "market", "--json"))
    assert document["format"] == "xuanpin-features/1"
    (first, *_) = document["features"]
    assert first == json.loads(json.dumps(describe(CATALOGUE, BY_NAME[first["name"]]).facts))


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        (
            FeatureFilter(family="prices"),
            ("No family is called prices. Did you mean price and value or "),
        ),
        (
            FeatureFilter(level="s"),
            f"No level is called s. Choose one of {', '.join(Level)}, request. See `xuanpin ",
        ),
        (
            FeatureFilter(kind="\x1b[31m"),
            r"No kind is called \x1b[31m. Choose one of RequestField, ",
        ),
    ],
)
def test_choose_unknown_name_lists_the_allowed_names(choice: FeatureFilter, message: str) -> None:
    with pytest.raises(UnknownNameError) as refused:
        choose(CATALOGUE, choice)
    assert message in str(refused.value)
    assert refused.value.exit_code == 2


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "units_orderd_28d",
            "No feature is called units_orderd_28d. Did you mean units_ordered_",
        ),
        ("?", "No feature is called ?. See `xuanpin features list`."),
    ],
)
def test_resolve_name_unknown_suggests_similar_names(name: str, message: str) -> None:
    with pytest.raises(UnknownNameError, match="feature") as refused:
        resolve_name(CATALOGUE, name)
    assert str(refused.value).startswith(message)


@pytest.mark.parametrize("command", ["list", "describe", "check"])
def test_help_ends_with_exit_codes_and_an_example(command: str) -> None:
    page = " ".join(features(command, "--help").split())
    assert "Exit codes: 0" in page
    assert f"Example: xuanpin features {command}" in page
