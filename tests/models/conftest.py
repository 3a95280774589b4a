"""One invented client with plausible habits, for every test of the models."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

SEED = 20260401
# vendor, text, account, usual amount: all invented.
HABITS = (
    ("Elmwood Properties LLC", "Monthly rent unit 3", "6130", 3_200),
    ("Bluebird Cloud Inc", "Hosting usage", "6060", 240),
    ("City Power & Light", "Electric service", "6140", 410),
    ("Quick Courier Co", "Delivery run", "6120", 35),
    ("Hart and Pell Attorneys", "Legal services", "6080", 1_500),
    ("Corner Bistro", "Team lunch", "6310", 85),
    ("Paper Trail Supply", "Copy paper and toner", "6110", 120),
    ("Harbor Builders Supply", "Lumber for job", "5000", 2_100),
    ("Ridgeline Repair", "Roof leak repair", "6150", 600),
    ("Summit Insurance Agency", "Policy installment", "6070", 900),
)


def invented_lines(count: int, *, seed: int = SEED, noise: float = 0.03) -> pd.DataFrame:
    """``count`` invented bill lines over two years, oldest first, ``noise`` of them miscoded."""
    print(f"seed {seed}")
    random = np.random.default_rng(seed)
    habit = random.integers(0, len(HABITS), count)
    day = np.sort(random.integers(0, 730, count))
    account = np.array([HABITS[h][2] for h in habit], dtype=object)
    wrong = random.random(count) < noise
    account[wrong] = random.choice([h[2] for h in HABITS], wrong.sum())
    amount = np.array([HABITS[h][3] for h in habit]) * random.uniform(0.8, 1.2, count)
    return pd.DataFrame(
        {
            "line_id": [f"line{i}" for i in range(count)],
            "date": pd.Timestamp("2024-01-01") + pd.to_timedelta(day, unit="D"),
            "document_type": "bill",
            "party_id": [f"v{h}" for h in habit],
            "party_name": [HABITS[h][0] for h in habit],
            "description": [f"{HABITS[h][1]} {i % 97}" for i, h in enumerate(habit)],
            "amount": amount.round(2),
            "department_id": None,
            "account_id": account,
        }
    )


@pytest.fixture(scope="session")
def chart() -> pd.DataFrame:
    from models.chart import canonical_chart

    return canonical_chart()


@pytest.fixture(scope="session")
def lines() -> pd.DataFrame:
    return invented_lines(1_200)


@pytest.fixture(scope="session")
def knowledge():
    from models.knowledge import GlobalKnowledge

    return GlobalKnowledge.from_seeds()


@pytest.fixture(scope="session")
def model(lines: pd.DataFrame, chart: pd.DataFrame, knowledge):
    """Trained on the first 1,000 invented lines; tests that change it must copy it."""
    from models.categorizer import Categorizer

    return Categorizer(knowledge=knowledge).fit(lines.iloc[:1_000], chart)


@pytest.fixture
def models_folder() -> Path:
    import models

    return Path(models.__file__).parent
