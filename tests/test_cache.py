"""The cache: what is loaded is what was saved, and no trouble of any kind reaches the caller."""

import errno
import inspect
import json
import linecache
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symdiff import cache
from symdiff.cache import Entry, Store, execute, key_of
from symdiff.errors import SymdiffError

ROOT = pathlib.Path(cache.__file__).parent.parent
NOBODY = 65534


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    monkeypatch.delenv("SYMDIFF_CACHE", raising=False)
    monkeypatch.setenv("SYMDIFF_CACHE_DIR", str(tmp_path / "cache"))


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "cache"


@pytest.fixture
def unprivileged() -> Iterator[pathlib.Path]:
    """A folder of ours, while we are a user whom the file system can refuse something."""
    with tempfile.TemporaryDirectory() as path:
        user = os.geteuid()
        if user == 0:
            os.chown(path, NOBODY, -1)
            os.seteuid(NOBODY)
        yield pathlib.Path(path)
        os.seteuid(user)


def sample(i: int = 0) -> tuple[str, Entry]:
    source = (
        f'"""Sample {i}: é, {{braces}}, # symdiff-cache: {{}}"""\n\n\ndef value(x):\n    return {i} / x\n'
    )
    return key_of({"i": str(i)}), Entry(source, {"name": f"sample{i}", "lines": [1, i], "note": "ü\n# x"})


def assert_same(found: Entry | None, saved: Entry) -> None:
    assert found is not None
    assert (found.source, found.metadata) == (saved.source, saved.metadata)


def assert_works_in_memory(store: Store, i: int = 0) -> None:
    """The caller gets code that works, and gets it again from memory."""
    key, entry = sample(i)
    saved = store.save(key, entry)
    assert saved.path is None
    assert execute(saved)["value"](1) == i
    assert store.load(key) is saved


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    assert {record.name for record in caplog.records} <= {"symdiff.cache"}
    return [record.getMessage() for record in caplog.records]


def files(folder: pathlib.Path) -> list[pathlib.Path]:
    return sorted(path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())


# What is saved is loaded


def test_an_entry_comes_back_in_another_process(
    folder: pathlib.Path, caplog: pytest.LogCaptureFixture
) -> None:
    key, entry = sample(7)
    saved = Store().save(key, entry)
    found = Store().load(key)
    assert found == saved
    assert_same(found, entry)
    assert found is not None
    assert found.path == folder / key[:2] / f"sample7_{key[:16]}.py"
    assert execute(found)["value"](7) == 1
    assert warnings(caplog) == []


def test_the_file_is_the_source_and_one_comment(folder: pathlib.Path) -> None:
    key, entry = sample()
    path = Store().save(key, entry).path
    assert path is not None
    text = path.read_text("utf-8")
    assert text.startswith(entry.source)
    header = text.removeprefix(entry.source)
    assert header.startswith("# ")
    assert header.count("\n") == 1
    values = json.loads(header.removeprefix(cache.MARK))
    assert (values["format"], values["key"], values["metadata"]) == (cache.FORMAT, key, entry.metadata)
    assert len(values["sha256"]) == 64
    assert [mode(path), mode(path.parent), mode(folder)] == [0o600, 0o700, 0o700]


def mode(path: pathlib.Path) -> int:
    return path.stat().st_mode & 0o777


def test_a_missing_entry_is_none_and_makes_no_folder(folder: pathlib.Path) -> None:
    assert Store().load(sample()[0]) is None
    assert not folder.exists()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(), children, max_size=3),
    max_leaves=8,
)


@settings(max_examples=100, deadline=None)
@given(source=st.text(), metadata=st.dictionaries(st.text() | st.just("name"), json_values, max_size=4))
def test_any_text_and_metadata_survive(source: str, metadata: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        key = key_of({"source": source})
        saved = Store(folder).save(key, Entry(source, metadata))
        assert saved.path is not None
        assert saved.source.removesuffix("\n") == source.removesuffix("\n")
        assert saved.metadata == metadata
        assert Store(folder).load(key) == saved


def test_metadata_is_the_same_from_memory_and_from_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    key, entry = key_of({}), Entry("x = 1\n", {"pair": (1, 2), "by": {2: 1.5, 10: None}})
    expected = {"pair": [1, 2], "by": {"2": 1.5, "10": None}}
    for name in cache.MODES:
        monkeypatch.setenv("SYMDIFF_CACHE", name)
        assert Store().save(key, entry).metadata == expected
    monkeypatch.delenv("SYMDIFF_CACHE")
    found = Store().load(key)
    assert found is not None
    assert found.metadata == expected


def test_metadata_that_json_cannot_hold_is_a_bug_of_the_caller() -> None:
    with pytest.raises(TypeError):
        Store().save(key_of({}), Entry("", {"object": object()}))


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("loss_grad", "loss_grad"),
        ("<lambda>", "lambda"),
        ("../../etc/passwd", "etc_passwd"),
        ("a\nb", "a_b"),
        ("", "module"),
        ("größe", "gr__e"),
        ("x" * 5000, "x" * 60),
        (None, "None"),
    ],
)
def test_every_name_makes_a_plain_file_name(folder: pathlib.Path, name: Any, stem: str) -> None:
    key = key_of({})
    path = Store().save(key, Entry("x = 1\n", {"name": name})).path
    assert path == folder / key[:2] / f"{stem}_{key[:16]}.py"


# Keys


def test_keys_are_canonical() -> None:
    parts = {"source": "def f(x): ...", "options": "{}", "ünï\ud800": "\n"}
    assert key_of(parts) == "3059f61af6962cd1d3c2b8c62b5ffacb384f1f3aa958acdd4d8b460d7768c716"
    assert key_of(dict(reversed(parts.items()))) == key_of(parts)
    different = [{}, {"a": "b"}, {"b": "a"}, {"a": "b", "c": ""}, {"ab": ""}, {"a": "b\n"}]
    assert len({key_of(parts) for parts in different}) == len(different)


@pytest.mark.parametrize("key", ["", "..", "0" * 63, "../" + "0" * 61, "G" * 64, "0" * 64 + "\n"])
def test_other_keys_stay_off_the_disk(
    folder: pathlib.Path, key: str, caplog: pytest.LogCaptureFixture
) -> None:
    saved = Store().save(key, sample()[1])
    assert saved.path is None
    assert Store().load(key) is None
    assert files(folder.parent) == []
    assert "not a key made by key_of" in warnings(caplog)[0]


# Modules


def test_source_tracebacks_and_debuggers_see_the_module(monkeypatch: pytest.MonkeyPatch) -> None:
    key, entry = sample()
    for name in ("disk", "memory", "off"):
        monkeypatch.setenv("SYMDIFF_CACHE", name)
        saved = Store().save(key, entry)
        value = execute(saved)["value"]
        linecache.checkcache()
        assert inspect.getsource(value) == "def value(x):\n    return 0 / x\n"
        with pytest.raises(ZeroDivisionError) as caught:
            value(0)
        frame = traceback.extract_tb(caught.value.__traceback__)[-1]
        assert (frame.lineno, frame.line) == (5, "return 0 / x")
        assert frame.filename == (str(saved.path) if name == "disk" else f"<symdiff sample0_{key[:16]}>")
        assert value.__module__ == f"sample0_{key[:16]}"


def test_lines_are_counted_as_python_counts_them() -> None:
    entry = Entry("# a\x0cb\u2028c\x1d\r\n# \rdef f():\n    raise ValueError('here')")
    with pytest.raises(ValueError, match="here") as caught:
        execute(entry)["f"]()
    frame = traceback.extract_tb(caught.value.__traceback__)[-1]
    assert (frame.lineno, frame.line) == (4, "raise ValueError('here')")


def test_a_module_inherits_no_future_from_the_cache() -> None:
    assert execute(Entry("def f(x: int): ..."))["f"].__annotations__ == {"x": int}


# Damage: every entry that is not what was saved is detected, never run, and healed by the next save


def truncations(data: bytes, other: bytes) -> Iterator[bytes]:
    yield b""
    for i in range(20):
        yield data[: len(data) * i // 20]
    yield data[:-1]


def bit_flips(data: bytes, other: bytes) -> Iterator[bytes]:
    generator = random.Random(1)
    for bit in generator.sample(range(8 * len(data)), 200):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        yield bytes(flipped)


def replacements(data: bytes, other: bytes) -> Iterator[bytes]:
    yield other
    yield b"\0" * len(data)
    yield data + b"\n"
    yield b"\n" + data
    yield data + data
    yield data.replace(b"return 3", b"return 4")
    yield data.replace(b"\n", b"\r\n")
    yield data.replace(b'"format":1', b'"format":2')
    yield data.replace(b'"lines":[1,3]', b'"lines":[1, 3]')
    yield data.replace(b'"lines":[1,3]', b'"lines":[1,2]')
    yield data.rpartition(b"# ")[0]
    yield b"import os\n" + cache.MARK.encode() + b"[" * 100_000 + b"\n"
    for header in (b"[]", b"null", b"{}", b"1", b'"metadata"', b'{"metadata":1}', b'{"metadata":{}}'):
        yield b"import os\n" + cache.MARK.encode() + header + b"\n"


@pytest.mark.parametrize("damages", [truncations, bit_flips, replacements])
def test_damage_is_detected_and_healed(
    damages: Callable[[bytes, bytes], Iterator[bytes]], caplog: pytest.LogCaptureFixture
) -> None:
    key, entry = sample(3)
    path, other = Store().save(key, entry).path, Store().save(*sample(4)).path
    assert path is not None
    assert other is not None
    good = path.read_bytes()
    for damaged in damages(good, other.read_bytes()):
        assert damaged != good
        path.write_bytes(damaged)
        store = Store()
        assert store.load(key) is None
        assert store.load(key) is None
        assert len(warnings(caplog)) == 1
        assert str(path) in warnings(caplog)[0]
        assert "it is damaged" in warnings(caplog)[0]
        assert_same(store.save(key, entry), entry)
        assert path.read_bytes() == good
        assert_same(Store().load(key), entry)
        caplog.clear()
    assert warnings(caplog) == []


def test_an_entry_of_an_older_format_is_generated_again(monkeypatch: pytest.MonkeyPatch) -> None:
    key, entry = sample()
    monkeypatch.setattr(cache, "FORMAT", 0)
    Store().save(key, entry)
    monkeypatch.undo()
    assert Store().load(key) is None


def make_folder(path: pathlib.Path, outside: pathlib.Path) -> None:
    path.mkdir()
    (path / "inner").mkdir()
    (path / "inner" / "file").touch()


def make_link(path: pathlib.Path, outside: pathlib.Path) -> None:
    path.symlink_to(outside)


def make_dangling_link(path: pathlib.Path, outside: pathlib.Path) -> None:
    path.symlink_to(outside.with_name("missing"))


def make_fifo(path: pathlib.Path, outside: pathlib.Path) -> None:
    os.mkfifo(path)


def make_huge_file(path: pathlib.Path, outside: pathlib.Path) -> None:
    path.touch(0o600)
    os.truncate(path, 1 << 40)


@pytest.mark.parametrize("make", [make_folder, make_link, make_dangling_link, make_fifo, make_huge_file])
def test_what_is_no_entry_gives_way(
    make: Callable[[pathlib.Path, pathlib.Path], None],
    tmp_path: pathlib.Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    key, entry = sample()
    path = Store().save(key, entry).path
    assert path is not None
    outside = tmp_path / "outside"
    outside.write_bytes(path.read_bytes())  # even a link to a good entry is refused
    path.unlink()
    make(path, outside)
    store = Store()
    descriptors = len(os.listdir("/dev/fd"))
    assert store.load(key) is None
    assert len(os.listdir("/dev/fd")) == descriptors
    assert len(warnings(caplog)) == 1
    before = outside.read_bytes(), outside.stat()
    assert store.save(key, entry).path == path
    assert_same(Store().load(key), entry)
    assert path.is_file()
    assert not path.is_symlink()
    assert (outside.read_bytes(), outside.stat()) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cache", "outside"]
    assert len(warnings(caplog)) == 1


# Owners and modes


@pytest.mark.parametrize("bits", [0o020, 0o002, 0o022])
@pytest.mark.parametrize("what", ["folder", "shard", "entry"])
def test_what_others_can_write_is_not_used(
    what: str, bits: int, folder: pathlib.Path, caplog: pytest.LogCaptureFixture
) -> None:
    key, entry = sample()
    path = Store().save(key, entry).path
    assert path is not None
    tampered = {"folder": folder, "shard": path.parent, "entry": path}[what]
    tampered.chmod(mode(tampered) | bits)
    before = path.read_bytes(), path.stat()
    store = Store()
    assert store.load(key) is None
    assert_works_in_memory(store)
    assert (path.read_bytes(), path.stat()) == before
    assert files(folder) == [path]
    assert any("belongs to another user or is writable for others" in text for text in warnings(caplog))
    assert len(warnings(caplog)) == 2  # it is not read, and it is not written
    tampered.chmod(mode(tampered) & ~bits)
    assert_same(Store().load(key), entry)


def test_what_others_own_is_not_used(
    folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = Store().save(*sample()).path
    assert path is not None
    before = path.stat()
    user = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: user + 1)
    store = Store()
    assert store.load(sample()[0]) is None
    for i in range(5):
        assert_works_in_memory(store, i)
    assert files(folder) == [path]
    assert path.stat() == before
    assert len(warnings(caplog)) == 2


@pytest.mark.parametrize("what", ["folder", "shard", "entry"])
def test_an_owner_is_looked_up_for_each_of_them(
    what: str, folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Store().save(*sample()).path
    assert path is not None
    foreign = {"folder": folder, "shard": path.parent, "entry": path}[what].stat().st_ino

    def changed(call: Callable[..., os.stat_result]) -> Callable[..., os.stat_result]:
        def status(*arguments: Any, **options: Any) -> os.stat_result:
            result = call(*arguments, **options)
            fields = list(result)
            fields[4] += result.st_ino == foreign
            return os.stat_result(fields)

        return status

    for name in ("stat", "lstat", "fstat"):
        monkeypatch.setattr(os, name, changed(getattr(os, name)))
    store = Store()
    assert store.load(sample()[0]) is None
    saved = store.save(*sample())
    assert saved.file is None
    assert store.load(sample()[0]) is saved


def test_a_shard_that_is_a_link_is_refused(folder: pathlib.Path, tmp_path: pathlib.Path) -> None:
    key, entry = sample()
    path = Store().save(key, entry).path
    assert path is not None
    path.parent.rename(tmp_path / "elsewhere")
    path.parent.symlink_to(tmp_path / "elsewhere")
    before = (tmp_path / "elsewhere").stat()
    store = Store()
    assert store.load(key) is None
    assert_works_in_memory(store)
    assert (tmp_path / "elsewhere").stat() == before


def test_the_folder_itself_may_be_a_link(folder: pathlib.Path, tmp_path: pathlib.Path) -> None:
    (tmp_path / "disk").mkdir(0o700)
    folder.symlink_to(tmp_path / "disk")
    assert Store().save(*sample()).path is not None
    assert_same(Store().load(sample()[0]), sample()[1])


@pytest.mark.parametrize("guard", ["O_NOFOLLOW", "islink"])
def test_links_are_refused_twice(guard: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a look before the opening, all that Windows has, and by the opening itself, which nobody outruns."""
    key, entry = sample()
    path = Store().save(key, entry).path
    assert path is not None
    path.rename(tmp_path / "outside")
    path.symlink_to(tmp_path / "outside")
    if guard == "islink":
        monkeypatch.setattr(cache, "_READ", os.O_RDONLY)
    else:
        monkeypatch.setattr(os.path, "islink", lambda path: False)
    assert Store().load(key) is None


@pytest.mark.parametrize("plant", ["symlink_to", "hardlink_to"])
def test_a_planted_temporary_file_is_not_written_through(
    plant: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, entry = sample()
    path = Store().save(key, entry).path
    assert path is not None
    monkeypatch.setattr(os, "urandom", bytes)
    (tmp_path / "outside").write_text("mine")
    planted = path.parent / f".{path.stem}.{os.getpid()}.{'00' * 6}.tmp"
    getattr(planted, plant)(tmp_path / "outside")
    path.unlink()
    assert_works_in_memory(Store())
    assert (tmp_path / "outside").read_text() == "mine"


# Trouble with the disk


@pytest.mark.parametrize(
    "code", [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EMFILE, errno.ESTALE]
)
@pytest.mark.parametrize(
    "name", ["open", "write", "replace", "close", "makedirs", "lstat", "stat", "listdir"]
)
def test_a_failing_system_call_costs_one_warning(
    name: str,
    code: int,
    folder: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    real = getattr(os, name)

    def failing(*arguments: Any, **options: Any) -> Any:
        if name == "close":
            real(*arguments)
        elif name == "write":
            real(arguments[0], arguments[1][:10])
        raise OSError(code, os.strerror(code))

    store = Store()
    with monkeypatch.context() as patch:
        patch.setattr(os, name, failing)
        for i in range(3):
            assert_works_in_memory(store, i)
    assert len(warnings(caplog)) == 1
    assert os.strerror(code) in warnings(caplog)[0]
    assert not [path for path in files(folder) if path.suffix == ".tmp"]
    for i in range(3):  # the next process heals what there is
        assert Store().load(sample(i)[0]) is None
        assert Store().save(*sample(i)).path is not None
        assert_same(Store().load(sample(i)[0]), sample(i)[1])


@pytest.mark.parametrize("name", ["open", "fstat", "stat", "listdir"])
def test_a_failing_read_is_a_miss(
    name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    key, entry = sample()
    Store().save(key, entry)

    def failing(*arguments: Any, **options: Any) -> Any:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patch:
        patch.setattr(os, name, failing)
        assert Store().load(key) is None
    assert len(warnings(caplog)) == 1
    assert_same(Store().load(key), entry)


def test_a_disk_that_lies(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda file, data: real(file, bytes(len(data))))
    assert_works_in_memory(Store())
    assert len(warnings(caplog)) == 1


def test_an_interrupt_leaves_nothing_half_done(folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*arguments: Any) -> Any:
        raise KeyboardInterrupt

    for name in ("write", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(os, name, interrupted)
            with pytest.raises(KeyboardInterrupt):
                Store().save(*sample())
        assert files(folder) == []
    assert Store().save(*sample()).path is not None


def test_a_folder_that_cannot_be_written(
    unprivileged: pathlib.Path, caplog: pytest.LogCaptureFixture
) -> None:
    Store(unprivileged).save(*sample(1))
    for path in [*unprivileged.iterdir(), unprivileged]:
        path.chmod(0o500)
    store = Store(unprivileged)
    assert_same(store.load(sample(1)[0]), sample(1)[1])
    assert_works_in_memory(store, 2)
    assert_works_in_memory(Store(unprivileged / "inner"), 3)
    assert len(warnings(caplog)) == 2
    unprivileged.chmod(0o000)
    store = Store(unprivileged)
    assert store.load(sample(1)[0]) is None
    assert_works_in_memory(store)
    unprivileged.chmod(0o700)
    for path in unprivileged.iterdir():
        path.chmod(0o700)


def test_a_file_size_limit(folder: pathlib.Path) -> None:
    report = run(
        """
        import logging, resource, sys
        logging.basicConfig(stream=sys.stdout, format="%(message)s")
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
        store = Store()
        for i in range(3):
            saved = store.save(*sample(i))
            assert saved.path is None and execute(saved)["value"](1) == i
        """
    )
    assert report.count("\n") == 1
    assert os.strerror(errno.EFBIG) in report
    assert files(folder) == []


@pytest.mark.parametrize("name", ["x", "with space", "ünï-ćødé 界", "quote'\"{%}#", "a" * 255, "new\nline"])
def test_odd_folder_names_work(name: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYMDIFF_CACHE_DIR", str(tmp_path / name / "deeper"))
    key, entry = sample()
    path = Store().save(key, entry).path
    assert path is not None
    assert path.is_relative_to(tmp_path / name)
    found = Store().load(key)
    assert_same(found, entry)
    assert found is not None
    assert inspect.getsource(execute(found)["value"]) == "def value(x):\n    return 0 / x\n"


@pytest.mark.parametrize("path", ["a" * 256, "d/" * 2500, "\0", "file/below", "loop"])
def test_impossible_folders_cost_one_warning(
    path: str, tmp_path: pathlib.Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    store = Store(f"{tmp_path}/{path}")
    for i in range(3):
        assert_works_in_memory(store, i)
    assert len(warnings(caplog)) == 1
    assert files(tmp_path) == [tmp_path / "file", tmp_path / "loop"]


def test_code_that_utf8_cannot_hold_stays_in_memory(folder: pathlib.Path) -> None:
    saved = Store().save(key_of({}), Entry("# \ud800\n"))
    assert (saved.path, files(folder)) == (None, [])


# Where the folder is


def test_the_folder_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    store = Store()
    for name in ("one", "two"):
        monkeypatch.setenv("SYMDIFF_CACHE_DIR", str(tmp_path / name))
        path = store.save(*sample()).path
        assert path is not None
        assert path.is_relative_to(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SYMDIFF_CACHE_DIR", "three")
    path = store.save(*sample()).path
    assert path is not None
    assert path.is_relative_to(tmp_path / "three")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SYMDIFF_CACHE_DIR", "~/four")
    path = store.save(*sample()).path
    assert path is not None
    assert path.is_relative_to(tmp_path / "home" / "four")


@pytest.mark.parametrize("home", [None, "", "/home/someone", "relative"])
@pytest.mark.parametrize("xdg", [None, "", "/var/cache/someone", "relative", "/with space/"])
@pytest.mark.parametrize("chosen", [None, ""])
def test_the_default_folder_is_the_one_of_platformdirs(
    home: str | None, xdg: str | None, chosen: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    import platformdirs

    for name, value in (("HOME", home), ("XDG_CACHE_HOME", xdg), ("SYMDIFF_CACHE_DIR", chosen)):
        monkeypatch.delenv(name, raising=False)
        if value is not None:
            monkeypatch.setenv(name, value)
    assert cache._default_folder() == platformdirs.user_cache_dir("symdiff", appauthor=False)


@pytest.mark.parametrize("chosen", [None, "~/cache", "~no-such-user/cache"])
def test_a_user_without_a_home(
    chosen: str | None,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: pathlib.Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    import pwd

    def unknown(_: object) -> Any:
        raise KeyError("no such user")

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    monkeypatch.delenv("HOME")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("SYMDIFF_CACHE_DIR")
    if chosen is not None:
        monkeypatch.setenv("SYMDIFF_CACHE_DIR", chosen)
    monkeypatch.chdir(tmp_path)
    assert_works_in_memory(Store())
    assert len(warnings(caplog)) == 1
    assert list(tmp_path.iterdir()) == []  # no folder that is named "~"


def test_a_working_directory_that_is_gone(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert_works_in_memory(Store("relative"))
    assert Store(tmp_path / "cache").save(*sample()).path is not None


# Modes


def test_off_keeps_nothing(folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store()
    store.save(*sample())
    monkeypatch.setenv("SYMDIFF_CACHE", "off")
    assert store.load(sample()[0]) is None
    assert execute(store.save(*sample(1)))["value"](1) == 1
    monkeypatch.setenv("SYMDIFF_CACHE", "disk")
    assert store.load(sample(1)[0]) is None


def test_memory_touches_no_disk(folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Store().save(*sample(1))
    before = files(folder)
    monkeypatch.setenv("SYMDIFF_CACHE", "memory")
    store = Store()
    assert store.load(sample(1)[0]) is None
    assert_works_in_memory(store, 2)
    store.clear()
    assert store.load(sample(2)[0]) is None
    assert files(folder) == before


def test_readonly_reads(folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Store().save(*sample(1))
    damaged = Store().save(*sample(2)).path
    assert damaged is not None
    damaged.write_text("damaged")
    before = [(path, path.stat()) for path in files(folder)]
    monkeypatch.setenv("SYMDIFF_CACHE", "readonly")
    store = Store()
    assert_same(store.load(sample(1)[0]), sample(1)[1])
    assert store.load(sample(2)[0]) is None
    assert_works_in_memory(store, 2)
    assert_works_in_memory(store, 3)
    assert store.prune(0) == 0
    store.clear()
    assert [(path, path.stat()) for path in files(folder)] == before


@pytest.mark.parametrize("name", ["on", "Disk", "disk ", "0"])
def test_an_unknown_mode_is_an_error(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYMDIFF_CACHE", name)
    for call in (lambda: Store().load(""), lambda: Store().save(*sample()), lambda: Store().prune(0)):
        with pytest.raises(SymdiffError, match=r"(?s)SYMDIFF_CACHE is .*off\|memory\|disk\|readonly"):
            call()


def test_silent_by_default() -> None:
    report = run('store = Store("/dev/null"); store.save(*sample()); store.load(sample(1)[0])')
    assert report == ""


# Housekeeping


def test_prune_removes_the_oldest_first(folder: pathlib.Path) -> None:
    store = Store()
    paths = []
    for i in range(10):
        path = store.save(*sample(i)).path
        assert path is not None
        os.utime(path, (1000 + i, 1000 + i))
        paths.append(path)
    size = paths[0].stat().st_size
    assert {path.stat().st_size for path in paths} == {size}
    assert store.prune(10 * size) == 0
    assert store.prune(4 * size + 1) == 6
    assert files(folder) == sorted(paths[6:])
    assert store.load(sample(0)[0]) is not None  # from memory
    assert Store().load(sample(0)[0]) is None


def test_only_what_the_cache_made_is_removed(folder: pathlib.Path, tmp_path: pathlib.Path) -> None:
    Store().save(*sample())
    others = [
        folder / "notes.txt",
        folder / "module_0123456789abcdef.py",
        folder / "ab" / "mine.py",
        folder / "ab" / ".swap.tmp",
        folder / "documents" / "x_0123456789abcdef.py",
    ]
    for path in others:
        path.parent.mkdir(exist_ok=True)
        path.touch()
        os.utime(path, (1000, 1000))
    outside = tmp_path / "cd"
    outside.mkdir()
    (outside / "x_0123456789abcdef.py").touch()
    (folder / "cd").symlink_to(outside)
    store = Store()
    store.clear()
    assert store.load(sample()[0]) is None
    assert files(folder) == sorted([*others, folder / "cd"])
    assert len(files(outside)) == 1


def test_temporary_files_of_dead_writers_are_swept(folder: pathlib.Path) -> None:
    key, entry = sample()
    path = Store().save(key, entry).path
    assert path is not None
    old, young = (path.parent / f".{path.stem}.{pid}.0123456789ab.tmp" for pid in (1, 2))
    for temporary, age in ((old, 3700), (young, 3500)):
        temporary.touch()
        os.utime(temporary, (time.time() - age,) * 2)
    assert_same(Store().load(key), entry)
    assert files(folder) == sorted([path, old, young])
    Store().save(key, entry)
    assert files(folder) == sorted([path, young])


def test_housekeeping_never_fails(
    folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert Store().prune(0) == 0
    assert warnings(caplog) == []
    Store().save(*sample())

    def failing(*arguments: Any, **options: Any) -> Any:
        raise PermissionError(errno.EPERM, "not yours")

    monkeypatch.setattr(os, "unlink", failing)
    Store().clear()
    assert len(warnings(caplog)) == 1


# Many writers


def run(script: str, *arguments: str) -> str:
    with start(script, *arguments) as process:
        output, _ = process.communicate(timeout=120)
        assert process.returncode == 0, output
        return output


def start(script: str, *arguments: str) -> subprocess.Popen[str]:
    lines = [line.removeprefix("        ") for line in script.split("\n")]
    prelude = ["from symdiff.cache import *", "from symdiff.cache import Entry", inspect.getsource(sample)]
    return subprocess.Popen(
        [sys.executable, "-c", "\n".join([*prelude, *lines]), *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_eight_processes_race_for_fifty_entries(folder: pathlib.Path) -> None:
    script = """
        import logging, random, sys
        logging.basicConfig(stream=sys.stdout)
        store = Store()
        order = list(range(50))
        random.Random(sys.argv[1]).shuffle(order)
        for i in order:
            key, entry = sample(i)
            found = store.load(key) or store.save(key, entry)
            assert (found.source, found.metadata) == (entry.source, entry.metadata)
            assert found.path is not None and execute(found)["value"](2) == i / 2
        """
    processes = [start(script, str(seed)) for seed in range(8)]
    outputs = [process.communicate(timeout=120)[0] for process in processes]
    assert outputs == [""] * 8
    assert [process.returncode for process in processes] == [0] * 8
    assert len(files(folder)) == 50
    for i in range(50):
        assert_same(Store().load(sample(i)[0]), sample(i)[1])


@pytest.mark.parametrize("shared", [True, False])
def test_sixteen_threads_race_for_a_hundred_entries(
    shared: bool, folder: pathlib.Path, caplog: pytest.LogCaptureFixture
) -> None:
    one = Store()
    wrong: list[object] = []
    barrier = threading.Barrier(16)

    def work(seed: int) -> None:
        store = one if shared else Store()
        order = list(range(100))
        random.Random(seed).shuffle(order)
        barrier.wait()
        try:
            for i in order:
                found = store.load(sample(i)[0]) or store.save(*sample(i))
                assert_same(found, sample(i)[1])
                assert execute(found)["value"](2) == i / 2
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert warnings(caplog) == []
    assert len(files(folder)) == 100


def test_readers_writers_and_a_pruner(folder: pathlib.Path) -> None:
    script = """
        import random, sys, time
        generator, deadline, count = random.Random(sys.argv[1]), time.monotonic() + 1.0, 0
        while time.monotonic() < deadline:
            i = generator.randrange(20)
            store = Store()
            if sys.argv[1] == "0":
                store.prune(2000)
            else:
                found = store.load(sample(i)[0]) or store.save(*sample(i))
                assert found.source == sample(i)[1].source and execute(found)["value"](2) == i / 2
                count += 1
        print(count)
        """
    processes = [start(script, str(seed)) for seed in range(4)]
    outputs = [process.communicate(timeout=120)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * 4, outputs
    assert min(int(output) for output in outputs[1:]) > 20
    assert not [path for path in files(folder) if path.suffix == ".tmp"]


def test_killed_writers_leave_nothing_that_is_wrong(folder: pathlib.Path) -> None:
    """Forty processes, forked after the cache was in use, are killed while they write."""
    report = run(
        """
        import os, random, signal, time
        generator, warm, alive = random.Random(2), Store(), 0
        warm.save(*sample(1000))
        for trial in range(40):
            read, write = os.pipe()
            child = os.fork()
            if not child:
                assert warm.load(sample(1000)[0]) is not None
                i = 0
                while True:
                    for i in range(20):
                        Store().save(*sample(i))
                    os.write(write, b".")
            os.read(read, 1)
            time.sleep(generator.uniform(0, 0.01))
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            os.close(read), os.close(write)
            for i in range(20):
                found = Store().load(sample(i)[0])
                assert found is not None and found.source == sample(i)[1].source
        print("done")
        """
    )
    assert report == "done\n"
    left = [path for path in files(folder) if path.suffix == ".tmp"]
    assert len(left) <= 40
    for path in left:
        os.utime(path, (1000, 1000))
    Store().prune(1 << 30)
    assert len(files(folder)) == 21
