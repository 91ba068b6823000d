"""The configuration of a simulated market: presets, files, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from experiments.simulator.configuration import parameters
from experiments.simulator.configuration.configuration import PRESETS, Simulation, configure
from experiments.simulator.configuration.parameter_page import parameter_page
from experiments.simulator.configuration.section import Section
from features.runtime.errors import SettingsError

SECTIONS = [
    section
    for section in vars(parameters).values()
    if isinstance(section, type) and issubclass(section, Section) and section is not Section
]


@pytest.mark.parametrize("preset", PRESETS)
def test_configuration_knows_each_preset(preset: str) -> None:
    market = configure(preset)
    assert (market.products, market.days) == (PRESETS[preset]["products"], PRESETS[preset]["days"])


def test_configuration_prefers_what_is_chosen_to_the_file_and_that_to_the_preset(
    tmp_path: Path,
) -> None:
    file = tmp_path / "market.toml"
    file.write_text('products = 70\ndays = 80\nmarkets = ["IT"]\n[creators]\nstrength = 0\n')
    market = configure("medium", file=file, days=99, seed=None)
    assert (market.products, market.days, market.markets) == (70, 99, ("IT",))
    assert market.creators.strength == 0
    assert market.creators.fraud_share == Simulation().creators.fraud_share


def test_configuration_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Simulation().demand.lines_a_day = 3.0


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.__name__)
def test_configuration_says_of_each_size_where_it_comes_from(section: type[Section]) -> None:
    numbers = [
        field
        for name, field in section.model_fields.items()
        if field.annotation is float and section is not parameters.Delay
    ]
    assert [field for field in numbers if not (field.description or "").endswith(".")] == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("prodcts = 3", "invalid at prodcts: Extra inputs are not permitted"),
        ("[demand]\nlines = 3", "invalid at demand.lines: Extra inputs are not permitted"),
        ("[creators]\nfraud_share = 1.5", "creators.fraud_share: Input should be less than"),
        ('markets = ["US", "JP"]', "JP is not simulated; known are US, GB, DE, FR, IT, ES"),
        ('markets = ["US", "US"]', "name at least one market, and each once"),
        ("days = 3", "days: Input should be greater than or equal to 60"),
    ],
)
def test_configuration_refuses_what_it_cannot_mean(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "market.toml").write_text(text)
    with pytest.raises(SettingsError) as refused:
        configure(file=tmp_path / "market.toml")
    assert said in str(refused.value)
    assert "docs/market.md lists the sections" in str(refused.value)


def test_configuration_that_is_not_toml_is_refused_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "market.toml").write_text("days = ")
    with pytest.raises(SettingsError, match=r"market\.toml can't be read: it isn't TOML \(Invalid"):
        configure(file=tmp_path / "market.toml")


def test_page_of_the_market_lists_every_parameter_as_it_is() -> None:
    page = (Path(__file__).parents[4] / "docs" / "market.md").read_text(encoding="utf-8")
    assert page.endswith(parameter_page())
    assert "| `fraud_share` | 0.04 | 0 to 1 |" in page


def test_configuration_names_the_presets_when_asked_for_another() -> None:
    with pytest.raises(SettingsError, match=r"no preset huge\. Choose small, medium, large"):
        configure("huge")
