"""Nothing a writer does, dying included, ever reaches a reader."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.publish.stress import Stress

pytestmark = pytest.mark.rotating(days=8)


@pytest.mark.slow
def test_readers_see_no_error_and_no_mixed_books_while_writers_are_killed(tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(1_000_000)
    print(f"seed of the kills: {seed}")
    result = Stress(tmp_path, clients=12, workers=4, seed=seed).run(seconds=5, kills=6)
    print(result)
    assert result["reads"] > 10
    assert result["kills"] >= 6
    assert result["published"] > 0
    assert (result["errors"], result["refused"]) == ([], 0)
    assert (result["inconsistent"], result["missing"], result["leftovers"]) == (0, 0, 0)


@pytest.mark.slow
def test_a_run_lasts_until_every_reader_has_answered(tmp_path: Path) -> None:
    result = Stress(tmp_path, clients=2, workers=2, seed=1).run(seconds=0, kills=0)
    assert result["reads"] >= 2
    assert all(
        result[f"milliseconds, {of}"]["idle"]["p50"] > 0 for of in ("all clients", "one client")
    )
