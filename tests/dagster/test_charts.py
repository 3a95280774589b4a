"""Pictures of tables whose names clients chose."""

from __future__ import annotations

import pandas as pd
import pytest

from bill_pipeline.dagster.charts import confusion_picture, errors_picture


@pytest.mark.parametrize("name", [r"Fees $\frac{$", "Wages $50%{ to A$", "Sales US$ ^ CA$", "$$"])
def test_no_name_is_read_as_a_formula(name: str) -> None:
    names = [name, "Rent"]
    confusion_picture(pd.DataFrame([[1, 2], [3, 4]], columns=names, index=names))
    errors_picture(pd.DataFrame({"lines": [3, 1], "wrong": [1, 1]}, index=names))
