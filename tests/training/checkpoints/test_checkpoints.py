from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from training.checkpoints.checkpoints import Checkpoints, StageResult

STAGE = "fit"
FACTS = {"rows": "digest", "trees": 7}
PROGRAM = {"code": "a", "libraries": {"numpy": "2"}}


class KilledError(Exception):
    """Stand for the end of a process in the middle of a stage."""


def run_stage(
    run: Path,
    *,
    facts: Mapping[str, object] = FACTS,
    program: Mapping[str, object] = PROGRAM,
    text: str = "made",
) -> tuple[StageResult, list[str]]:
    told: list[str] = []
    checkpoints = Checkpoints(run, program, told.append)
    result = run / "result"

    def make() -> None:
        result.mkdir(exist_ok=True)
        (result / "part").write_text(text)

    return checkpoints.run_stage(STAGE, facts, result, make), told


def test_stage_is_made_once(tmp_path: Path) -> None:
    first, _ = run_stage(tmp_path)
    again, told = run_stage(tmp_path, text="never made")
    assert not first.is_reused
    assert again.is_reused
    assert again.files == first.files
    assert told == []
    assert (tmp_path / "result" / "part").read_text() == "made"


@pytest.mark.parametrize(
    ("facts", "program"),
    [
        ({**FACTS, "trees": 8}, PROGRAM),
        ({**FACTS, "leaves": 3}, PROGRAM),
        ({"rows": "digest"}, PROGRAM),
        (FACTS, {**PROGRAM, "code": "b"}),
        (FACTS, {**PROGRAM, "libraries": {"numpy": "3"}}),
    ],
)
def test_stage_that_depends_on_something_else_now_supersedes_the_earlier_one(
    tmp_path: Path, facts: Mapping[str, object], program: Mapping[str, object]
) -> None:
    first, _ = run_stage(tmp_path)
    other, told = run_stage(tmp_path, facts=facts, program=program, text="other")
    assert not other.is_reused
    assert other.files != first.files
    assert told == []
    assert [path.name for path in (tmp_path / "stages").iterdir()] == ["fit.json"]
    assert not run_stage(tmp_path)[0].is_reused


def _cut(run: Path) -> None:
    (run / "result" / "part").write_text("mad")


def _add(run: Path) -> None:
    (run / "result" / "more").write_text("of something")


def _remove(run: Path) -> None:
    (run / "result" / "part").unlink()


def _spoil_record(run: Path) -> None:
    (run / "stages" / "fit.json").write_bytes(b"\xff{")


@pytest.mark.parametrize("damage", [_cut, _add, _remove, _spoil_record])
def test_damaged_stage_is_made_again_and_said(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    run_stage(tmp_path)
    damage(tmp_path)
    again, (told,) = run_stage(tmp_path, text="anew")
    assert not again.is_reused
    assert "damaged" in told
    assert (tmp_path / "result" / "part").read_text() == "anew"


def test_stage_interrupted_is_not_taken_for_the_one_it_was_to_replace(tmp_path: Path) -> None:
    run_stage(tmp_path)

    def make() -> None:
        (tmp_path / "result" / "part").write_text("half")
        raise KilledError

    with pytest.raises(KilledError):
        Checkpoints(tmp_path, PROGRAM, lambda _: None).run_stage(
            STAGE, {"rows": "others"}, tmp_path / "result", make
        )
    again, told = run_stage(tmp_path)
    assert not again.is_reused
    assert told == []
