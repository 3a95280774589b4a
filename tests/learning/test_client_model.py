"""The shelf of models and what a client's model knows: refused files, roll-back, quick answers."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from bill_pipeline.categorization import model_registry
from bill_pipeline.categorization.categorize import categorize_lines
from bill_pipeline.categorization.client_model import current_model
from bill_pipeline.cli import main
from bill_pipeline.decisions.tables import correct
from bill_pipeline.pipeline.training import train_client
from bill_pipeline.registry.clients import Registry
from bill_pipeline.settings import Home
from bill_pipeline.warehouse.warehouse import Warehouse
from tests.learning.small_clients import AT, CHART, bill, build, connect
from tests.ledger.company import Company

pytestmark = [pytest.mark.slow, pytest.mark.rotating(days=4, part=2, together=True)]

VENDORS = {"v1": "Larkspur Stationery", "v2": "Quillon Freight", "new": "Never Seen Before Inc"}
ACCOUNTS = {"v1": "supplies", "v2": "freight"}


def coded(count: int, first: int = 0) -> list[object]:
    return [
        bill(n, f"v{n % 2 + 1}", "monthly delivery", ACCOUNTS[f"v{n % 2 + 1}"])
        for n in range(first, first + count)
    ]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[str, str]]:
    """A home with books of 170 coded lines, and two champions; the first is not outgrown yet."""
    home = Home.at(str(tmp_path_factory.mktemp("built") / "home"))
    connect(home, "acme")
    build(home, "acme", VENDORS, coded(100))
    first = train_client(Registry(home), "acme").version
    build(home, "acme", VENDORS, coded(70, first=100), AT.replace(hour=13))
    second = train_client(Registry(home), "acme").version
    assert first != second
    return home.path, (first, second)


@pytest.fixture
def home(built: tuple[Path, tuple[str, str]], tmp_path: Path) -> Home:
    """A copy of it, to do harm to."""
    shutil.copytree(built[0], tmp_path / "home")
    return Home.at(str(tmp_path / "home"))


@pytest.fixture
def two_models(built: tuple[Path, tuple[str, str]]) -> tuple[str, str]:
    return built[1]


def champion_version(home: Home) -> str:
    found = model_registry.champion(home, "acme")
    assert found is not None
    return found.version


@pytest.mark.parametrize("harm", ["corrupt", "foreign", "no labels", "gone"])
def test_a_file_that_is_no_model_of_ours_is_refused_and_the_last_good_one_decides(
    home: Home, two_models: tuple[str, str], harm: str
) -> None:
    import skops.io

    first, second = two_models
    folder = home.models / "clients" / "acme" / second
    if harm == "corrupt":
        file = folder / "model.skops"
        file.write_bytes(file.read_bytes()[:-100])
    elif harm == "foreign":
        (folder / "model.skops").write_bytes(skops.io.dumps({"not": "a model"}))
    elif harm == "no labels":
        (folder / "learned.npy").write_bytes(b"\x93NUMPY nonsense")
    else:
        shutil.rmtree(folder)
    assert champion_version(home) == first
    with Warehouse.open(Registry(home), "acme") as warehouse:
        assert current_model(warehouse, home).version.startswith(first)


def test_one_command_rolls_back(home: Home, two_models: tuple[str, str]) -> None:
    first, _second = two_models
    result = CliRunner().invoke(main, ["train", "acme", "--roll-back", "--home", str(home.path)])
    assert result.exit_code == 0, result.output
    assert first in result.output
    assert champion_version(home) == first
    again = CliRunner().invoke(main, ["train", "acme", "--roll-back", "--home", str(home.path)])
    assert again.exit_code == 1
    assert "bill-pipeline train acme" in again.output


def test_a_model_deleted_by_hand_is_trained_anew(home: Home) -> None:
    shutil.rmtree(home.models / "clients" / "acme")
    with Warehouse.open(Registry(home), "acme") as warehouse:
        assert current_model(warehouse, home).model.line_count_ == 170


def test_an_account_deleted_since_training_is_never_suggested(home: Home) -> None:
    with Warehouse.open(Registry(home), "acme") as warehouse:
        company = Company(warehouse)
        later = AT.replace(hour=14)
        account_id, name, kind, code = CHART[4]
        company.put(
            "chart_of_accounts",
            {"id": account_id, "name": name, "account": {"type": kind, "number": code},
             "archived": True},
            later,
        )  # fmt: skip
        company.put("bills", bill(300, "v2", "monthly delivery", None), later)
        company.sync(later)
        categorize_lines(warehouse, home, later)
        (row,) = warehouse.connection.execute(
            "select account_id, alternatives::varchar from decisions.categories "
            "where document_id = 'B300'"
        ).fetchall()
    assert "freight" not in str(row)


def test_an_answer_acts_at_once_on_waiting_lines_of_the_same_vendor_and_text(home: Home) -> None:
    """Lines of a new vendor wait; one is answered, and the others follow without a training."""
    later = AT.replace(hour=14)
    with Warehouse.open(Registry(home), "acme") as warehouse:
        company = Company(warehouse)
        for n in (300, 301, 302):
            company.put("bills", bill(n, "new", "archive boxes", None), later)
        company.sync(later)
        first = categorize_lines(warehouse, home, later)
        assert first.by_source == {"default": 3}
        company.sync(later)
        assert categorize_lines(warehouse, home, later).count == 0, (
            "nothing learned: nothing is said"
        )
        answered = later.replace(minute=30)
        correct(
            warehouse.connection, document_type="bill", document_id="B300", line_id="B300-1",
            account_id="supplies", decided_at=answered, decided_by="Ann",
        )  # fmt: skip
        company.sync(answered)
        second = categorize_lines(warehouse, home, answered)
        company.sync(answered)
        rows = warehouse.connection.execute(
            "select document_id, account_id, category_source, reason from categorized.lines "
            "where document_id in ('B300', 'B301', 'B302') order by document_id"
        ).fetchall()
    assert champion_version(home) != second.model_version, "the version says that it learned"
    assert second.model_version is not None
    assert second.model_version.startswith(champion_version(home))
    assert [row[1] for row in rows] == ["supplies"] * 3, rows
    assert "a person decided this for the same vendor and text" in rows[1][3]


def test_about_one_booked_line_in_25_is_to_be_checked(home: Home) -> None:
    from bill_pipeline.decisions.tables import record_categories

    count = 500
    later = AT.replace(hour=14)
    with Warehouse.open(Registry(home), "acme") as warehouse:
        company = Company(warehouse)
        for n in range(count):
            company.put("bills", bill(1000 + n, "v1", "monthly delivery", None), later)
        company.sync(later)
        hashes = warehouse.connection.execute(
            "select document_id, line_id, features_hash from categorized.lines_to_decide"
        ).fetchall()
        rows = [
            {"document_type": "bill", "document_id": document, "line_id": line,
             "features_hash": features, "account_id": "supplies", "source": "model",
             "confidence": 0.99, "model_version": "m"}
            for document, line, features in hashes
        ]  # fmt: skip
        record_categories(warehouse.connection, rows, decided_at=later, decided_by="a test")
        company.sync(later)
        sampled = "select document_id, line_id from ledger.transactions where is_sampled"
        found = warehouse.connection.execute(sampled).fetchall()
        assert 0.03 <= len(found) / count <= 0.05
        document, line = found[0]
        correct(
            warehouse.connection, document_type="bill", document_id=document, line_id=line,
            account_id="supplies", decided_at=later, decided_by="Ann",
        )  # fmt: skip
        company.sync(later)
        assert len(warehouse.connection.execute(sampled).fetchall()) == len(found) - 1
