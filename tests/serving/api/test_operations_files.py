"""The files that operators start from name what the service really has."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from prometheus_client.parser import text_string_to_metric_families

from serving.access.scopes import NEEDED_SCOPES
from serving.api.metrics import get_metrics
from serving.api.settings import ServingSettings
from serving.scoring.refusals import REFUSALS

ROOT = Path(__file__).parents[3]
FILES = ROOT / "docs" / "operations"
RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((FILES / "alerts.yml").read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
]
PANELS: list[dict[str, Any]] = json.loads((FILES / "dashboard.json").read_text(encoding="utf-8"))[
    "panels"
]
QUERIES = [rule["expr"] for rule in RULES]
QUERIES += [target["expr"] for panel in PANELS for target in panel["targets"]]


def known_names() -> set[str]:
    """Return the metrics of the service, with the endings that their kinds have."""
    names: set[str] = set()
    for family in text_string_to_metric_families(get_metrics().render().decode()):
        endings = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}
        names |= {family.name + one for one in endings.get(family.type, ("",))}
    return names


@pytest.mark.parametrize("query", QUERIES)
def test_query_names_metrics_and_codes_that_there_are(query: str) -> None:
    named = set(re.findall(r"xuanpin_\w+", query))
    assert named <= known_names()
    assert set(re.findall(r'code="(\w+)"', query)) <= set(REFUSALS)
    assert set(re.findall(r'route="([^"]+)"', query)) <= set(NEEDED_SCOPES)
    assert query.count("(") == query.count(")")


def test_every_metric_is_shown() -> None:
    shown = set(re.findall(r"xuanpin_\w+", " ".join(QUERIES)))
    families = {re.sub(r"_(bucket|sum|count|total)$", "", name) for name in known_names()}
    assert {re.sub(r"_(bucket|total)$", "", name) for name in shown} == families


def test_alerts_say_what_is_wrong_and_how_urgent_it_is() -> None:
    assert len({rule["alert"] for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert rule["annotations"]["summary"].endswith((".", "?"))


def test_alerts_pass_promtool() -> None:
    if shutil.which("promtool") is None:
        pytest.skip("promtool isn't installed")
    subprocess.run(["promtool", "check", "rules", str(FILES / "alerts.yml")], check=True)


def test_unit_waits_longer_than_the_service_needs_to_end() -> None:
    unit = (FILES / "xuanpin.service").read_text(encoding="utf-8")
    settings = ServingSettings()
    (seconds,) = re.findall(r"^TimeoutStopSec=(\d+)$", unit, re.MULTILINE)
    assert int(seconds) > settings.drain_seconds + 2 * settings.graceful_seconds


def test_container_asks_for_keys_because_others_reach_it() -> None:
    (entry,) = re.findall(r"^ENTRYPOINT (.*)$", (ROOT / "Containerfile").read_text(), re.MULTILINE)
    assert {"--keys", "0.0.0.0"} <= set(json.loads(entry))  # noqa: S104 - in a container
