from __future__ import annotations

import pyarrow as pa
import pytest

from serving.batch.answer_columns import ANSWER_COLUMNS, IS_CHOSEN, plan_columns

ANSWER = tuple(ANSWER_COLUMNS.names)


def schema(names: list[str]) -> pa.Schema:
    return pa.schema([(name, pa.string()) for name in names])


@pytest.mark.parametrize(
    ("names", "kept", "replaced"),
    [
        (["product_id", "title"], {}, ()),
        (["score", "x"], {"score": "score_before"}, ()),
        (
            ["score", "flags", "level", "error"],
            {"score": "score_before", "flags": "flags_before", "error": "error_before"},
            (),
        ),
        (["score", "score_before"], {"score": "score_before_before"}, ()),
        (["score_before", "score"], {"score": "score_before_before"}, ()),
        ([IS_CHOSEN], {}, ()),
        (["x", *ANSWER], {}, ANSWER),
        (["x", *ANSWER, IS_CHOSEN], {}, (*ANSWER, IS_CHOSEN)),
        (["score_before", *ANSWER], {}, ANSWER),
        ([*ANSWER[1:]], {name: f"{name}_before" for name in ANSWER[1:]}, ()),
    ],
)
def test_columns_of_the_source_are_kept_renamed_or_replaced(
    names: list[str], kept: dict[str, str], replaced: tuple[str, ...]
) -> None:
    columns = plan_columns(schema(names), has_selection=False)
    assert columns.renamed == kept
    assert columns.replaced == replaced
    assert list(columns.kept) == [name for name in names if name not in replaced]
    result = [*columns.source.names, *columns.answer.names]
    assert len(set(result)) == len(result)
    assert columns.answer == ANSWER_COLUMNS


def test_column_is_chosen_is_kept_beside_that_of_a_selection() -> None:
    columns = plan_columns(schema([IS_CHOSEN]), has_selection=True)
    assert columns.renamed == {IS_CHOSEN: "is_chosen_before"}
    assert columns.answer.names == [*ANSWER, IS_CHOSEN]
