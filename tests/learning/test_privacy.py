"""A private client's vendors are in nothing that other clients' models, skill or parties hold."""

from __future__ import annotations

import json
import shutil
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from bill_pipeline.actions import sharing
from bill_pipeline.categorization import firm_parties, model_registry
from bill_pipeline.categorization.client_model import current_model
from bill_pipeline.registry.clients import Registry
from bill_pipeline.settings import Home
from bill_pipeline.warehouse.warehouse import Warehouse
from models.normalize import stable_hash, vendor_key
from tests.learning.small_clients import bill, build, connect

pytestmark = [pytest.mark.slow, pytest.mark.rotating(days=4, part=3, together=True)]

OPEN = {"v1": "Larkspur Stationery Ltd", "v2": "Quillon Freight"}
SECRET = {"v1": "Zephyrine Occult Supplies", "v2": "Obsidian Marsh Carriers"}
ACCOUNTS = {"v1": "supplies", "v2": "freight"}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = Home.at(str(tmp_path_factory.mktemp("built") / "home"))
    for client, vendors in (("open", OPEN), ("secret", SECRET)):
        connect(home, client)
        words = [name.split()[0] for name in vendors.values()]
        bills = [
            bill(n, f"v{n % 2 + 1}", f"{words[n % 2]} delivery", ACCOUNTS[f"v{n % 2 + 1}"])
            for n in range(40)
        ]
        build(home, client, vendors, bills)
    return home.path


@pytest.fixture
def home(built: Path, tmp_path: Path) -> Home:
    shutil.copytree(built, tmp_path / "home")
    return Home.at(str(tmp_path / "home"))


def shared_files(home: Home, but: str) -> list[bytes]:
    """The content of every file of models but those of one client's own, unpacked."""
    contents = []
    for path in sorted(home.models.rglob("*")):
        if not path.is_file() or path.is_relative_to(home.models / "clients" / but):
            continue
        contents.append(path.read_bytes())
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                contents += [archive.read(name) for name in archive.namelist()]
    return contents


def traces(home: Home, name: str, but: str) -> list[str]:
    """In which forms ``name`` can be found in shared files."""
    key = vendor_key(name)
    hashed = int(stable_hash(np.array([key], dtype=object))[0])
    forms = {
        "name": name.encode(), "key": key.encode(), "first word": key.split()[0].encode(),
        "model's hash": struct.pack("<Q", hashed),
        "model's hash in text": str(hashed).encode(),
        "parties' hash": firm_parties.name_hash(name).encode(),
    }  # fmt: skip
    found = shared_files(home, but)
    return [form for form, trace in forms.items() if any(trace in content for content in found)]


def test_a_client_is_private_until_it_is_shared(home: Home) -> None:
    assert not sharing.is_shared(home, "open")
    assert sharing.pool(home).contributors == []


def test_no_trace_of_a_private_clients_vendor_is_in_any_shared_artefact(home: Home) -> None:
    sharing.set_shared(home, "open", True, by="Ann", reason="agreed")
    pooled = sharing.pool(home)
    assert pooled.contributors == ["open"]
    with Warehouse.open(Registry(home), "open") as warehouse:
        current_model(warehouse, home)
    for name in OPEN.values():
        assert "model's hash" in traces(home, name, but="none"), "the search finds what is there"
        assert "parties' hash" in traces(home, name, but="none")
    for name in SECRET.values():
        assert traces(home, name, but="secret") == []


def test_the_shared_artefacts_are_the_same_as_if_the_private_client_did_not_exist(
    home: Home,
) -> None:
    sharing.set_shared(home, "open", True, by="Ann", reason="agreed")
    with_it = sharing.pool(home)
    parties = (home.models / "firm_parties.json").read_bytes()
    knowledge = model_registry.knowledge(home)
    home.client_file("secret").unlink()
    without_it = sharing.pool(home)
    again = model_registry.knowledge(home)
    assert with_it == without_it
    assert (home.models / "firm_parties.json").read_bytes() == parties
    assert np.array_equal(knowledge.vendors_.count, again.vendors_.count)
    assert knowledge.version_ == again.version_


def test_made_private_again_a_client_leaves_knowledge_parties_and_other_models(
    home: Home,
) -> None:
    for client in ("open", "secret"):
        sharing.set_shared(home, client, True, by="Ann", reason="agreed")
    assert sharing.pool(home).contributors == ["open", "secret"]
    with Warehouse.open(Registry(home), "open") as warehouse:
        current_model(warehouse, home)
    name = SECRET["v1"]
    assert traces(home, name, but="secret"), "shared, it is in the knowledge and in open's model"
    assert sharing.set_shared(home, "secret", False, by="Ann", reason="asked for it")
    assert [traces(home, name, but="secret") for name in SECRET.values()] == [[], []]
    assert model_registry.contributors(home) == ["open"]
    assert model_registry.champion(home, "open") is None, "trained with secret's help: trained anew"
    with Warehouse.open(Registry(home), "open") as warehouse:
        assert current_model(warehouse, home).model.line_count_ == 40


def test_who_switched_when_and_why_is_kept(home: Home) -> None:
    sharing.set_shared(home, "open", True, by="Ann", reason="signed 2026-05")
    sharing.set_shared(home, "open", False, by="Ben", reason="withdrawn")
    with Warehouse.open(Registry(home), "open") as warehouse:
        rows = warehouse.connection.execute(
            "select value, decided_by, reason from decisions.policies "
            "where name = 'share_lines' order by decided_at"
        ).fetchall()
    assert rows == [("yes", "Ann", "signed 2026-05"), ("no", "Ben", "withdrawn")]


def test_what_people_said_at_a_sharing_client_holds_at_the_others(home: Home) -> None:
    names = {"a": "Larkspur", "b": "Larkspur Stationery Ltd"}
    said = firm_parties.pooled([({}, [(names["a"], names["b"], True)])])
    said.save(home)
    connect(home, "third")
    build(home, "third", names, [bill(1, "a", "paper", "supplies")])
    with Warehouse.open(Registry(home), "third") as warehouse:
        rows = warehouse.connection.execute(
            "select distinct merged_party_id, firm_party_id from ledger.parties "
            "where party_id in ('a', 'b')"
        ).fetchall()
    assert len(rows) == 1
    assert json.loads((home.models / "firm_parties.json").read_text())["answers"]
