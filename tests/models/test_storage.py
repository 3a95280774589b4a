"""A saved model comes back as it was; a damaged or foreign file is refused by name."""

from __future__ import annotations

import hashlib
import json
import pickle

import pandas as pd
import pytest

from models import storage


def resign(folder):
    """Make the record agree with a changed file, as an attacker would."""
    record = json.loads((folder / storage.METADATA_FILE).read_text())
    content = (folder / storage.MODEL_FILE).read_bytes()
    record["sha256"] = hashlib.sha256(content).hexdigest()
    (folder / storage.METADATA_FILE).write_text(json.dumps(record))


def put_in(folder, thing):
    import skops.io  # takes seconds, which the collecting of all tests should not

    (folder / storage.MODEL_FILE).write_bytes(skops.io.dumps(thing))


@pytest.fixture
def saved(tmp_path, model):
    storage.save(model, tmp_path, {"scores": {"top1": 0.97}})
    return tmp_path


def test_a_saved_model_suggests_the_same(saved, model, lines):
    loaded = storage.load(saved)
    assert loaded.version_ == model.version_
    pd.testing.assert_frame_equal(loaded.suggest(lines), model.suggest(lines))


def test_a_loaded_model_goes_on_learning(saved, lines):
    loaded = storage.load(saved)
    before = loaded.version_
    assert loaded.learn(lines.iloc[1_000:]).version_ != before


def test_the_record_names_version_scores_and_libraries(saved, model):
    record = storage.read_metadata(saved)
    assert record["model_version"] == model.version_
    assert record["scores"] == {"top1": 0.97}
    assert {"scikit-learn", "skops", "numpy"} <= set(record["libraries"])


def test_knowledge_can_be_saved_alone(tmp_path, knowledge):
    storage.save(knowledge, tmp_path)
    assert storage.load(tmp_path).version_ == knowledge.version_


def test_an_empty_folder_is_named(tmp_path):
    with pytest.raises(storage.ModelFileMissing, match="train one first"):
        storage.load(tmp_path)


def test_a_changed_byte_is_noticed(saved):
    path = saved / storage.MODEL_FILE
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(storage.ModelFileCorrupt, match="checksum"):
        storage.load(saved)


def test_a_truncated_archive_is_refused(saved):
    path = saved / storage.MODEL_FILE
    path.write_bytes(path.read_bytes()[:1_000])
    resign(saved)
    with pytest.raises(storage.ModelFileCorrupt):
        storage.load(saved)


def test_a_pickle_is_never_run(saved, tmp_path):
    marker = tmp_path / "ran"

    class Evil:
        def __reduce__(self):
            return (marker.write_text, ("x",))

    (saved / storage.MODEL_FILE).write_bytes(pickle.dumps(Evil()))
    resign(saved)
    with pytest.raises(storage.ModelFileCorrupt):
        storage.load(saved)
    assert not marker.exists()


def test_foreign_types_are_refused(saved):
    from functools import partial

    put_in(saved, partial(print, "x"))
    resign(saved)
    with pytest.raises(storage.ModelFileForeign):
        storage.load(saved)


def test_a_harmless_object_that_is_no_model_is_refused(saved):
    put_in(saved, {"a": 1})
    resign(saved)
    with pytest.raises(storage.ModelFileForeign):
        storage.load(saved)


def test_a_tree_that_points_outside_itself_is_refused(saved):
    model = storage.load(saved)
    tree = model.ranker_.model_._predictors[0][0]
    tree.nodes["left"][0] = 1_000_000
    put_in(saved, model)
    resign(saved)
    with pytest.raises(storage.ModelFileCorrupt, match="tree"):
        storage.load(saved)


def test_an_unreadable_record_is_refused(saved):
    (saved / storage.METADATA_FILE).write_text("{")
    with pytest.raises(storage.ModelFileCorrupt):
        storage.load(saved)


def test_a_model_of_an_older_layout_is_refused_and_not_used_half(saved):
    record = json.loads((saved / storage.METADATA_FILE).read_text())
    del record["layout"]
    (saved / storage.METADATA_FILE).write_text(json.dumps(record))
    with pytest.raises(storage.ModelFileForeign, match="another version"):
        storage.load(saved)
