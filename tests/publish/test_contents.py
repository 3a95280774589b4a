"""Which of two versions counts, and from when an old one may be collected."""

from __future__ import annotations

from datetime import UTC, datetime

from bill_pipeline.publishing.contents import Contents
from bill_pipeline.publishing.versions import Version


def test_grace_counts_from_when_a_version_was_superseded() -> None:
    old = Version("acme", "20200101T000000.000000Z-000000")
    contents = Contents(current={"acme": old})
    now = datetime.now(UTC)
    contents.replace(Version("acme", "20260101T000000.000000Z-000000"), now)
    assert contents.superseded == {("acme", old.number): now}


def test_an_older_read_never_replaces_a_newer_one() -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    newer = Version("acme", "20260201T000000.000000Z-000000")
    older_read = Version("acme", "20260101T000000.000000Z-000000")
    contents = Contents(current={"acme": newer})
    assert not contents.replace(older_read, now)
    assert contents.current["acme"] is newer
    assert ("acme", older_read.number) in contents.superseded


def test_a_version_from_the_future_does_not_block_its_client() -> None:
    future = Version("acme", "20300101T000000.000000Z-000000")
    contents = Contents(current={"acme": future})
    assert contents.replace(
        Version("acme", "20260101T000000.000000Z-000000"), datetime(2026, 1, 2, tzinfo=UTC)
    )
