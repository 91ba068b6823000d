from __future__ import annotations

import pytest

from features.runtime.errors import SettingsError, XuanpinError
from tests.sentences.training.errors import SENTENCES
from training import errors


@pytest.mark.parametrize("error", [error for error, _ in SENTENCES], ids=lambda e: type(e).__name__)
def test_error_has_the_exit_code_of_wrong_usage_or_of_training(error: XuanpinError) -> None:
    assert error.exit_code == (2 if isinstance(error, SettingsError) else 4)


def test_training_errors_all_have_a_sentence() -> None:
    declared = {declared for declared in vars(errors).values() if isinstance(declared, type)}
    own = {error for error in declared if error.__module__ == errors.__name__}
    assert {error for error in own if not error.__subclasses__()} == {type(e) for e, _ in SENTENCES}
