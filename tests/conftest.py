"""Every test has a cache of its own, in a folder that pytest made: the user's cache is never touched."""

from __future__ import annotations

import itertools

import pytest

_NUMBERS = itertools.count()


@pytest.fixture(autouse=True)
def cache_folder(tmp_path_factory, monkeypatch):
    """The folder that `SYMDIFF_CACHE_DIR` names; made by the first entry that is written to it."""
    from symdiff import cache, pipeline

    folder = tmp_path_factory.getbasetemp() / "cache" / str(next(_NUMBERS))
    monkeypatch.setenv("SYMDIFF_CACHE_DIR", str(folder))
    for name in ("SYMDIFF_CACHE", "SYMDIFF_BACKEND", "SYMDIFF_DUMP"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pipeline, "STORE", cache.Store())
    return folder
