"""The store of generated modules: readable text, addressed by what it was made from.

Data: an `Entry` is the source of one generated module with its metadata.  On disk it is one Python file,
`<folder>/<2 digits>/<name>_<16 digits of the key>.py`: the source, and below it one comment line of JSON with
format version, key, metadata and a SHA-256 over all of these.
Enters: a key made by `key_of` from everything that code generation read.  Leaves: the entry, or `None`.
Invariant: what `load` returns for a key is, byte for byte, what `save` was given for it.  Anything else on
disk is detected and never run; damaged entries are replaced by the next `save`.
Trouble with the disk is never the caller's: it costs one warning in the log, and the entry lives in memory.

Trust: the folder is trusted as far as its owner is.  Files and folders that somebody else owns or can write
to are not used.  Entries are text only: no pickle, no bytecode.
No lock is needed: two writers of one key write the same bytes, and a rename is atomic.  Nor is `fsync`: a
file torn by a power cut fails its hash and is generated again.
"""

from __future__ import annotations

import contextlib
import io
import json
import linecache
import os
import re
import stat
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from symdiff.errors import SymdiffError
from symdiff.records import dataclass, field

if TYPE_CHECKING:
    import pathlib

FORMAT = 1
MODES = ("off", "memory", "disk", "readonly")
MARK = "# symdiff-cache: "
MAX_ENTRY_BYTES = 1 << 26
TEMPORARY_SECONDS = 3600.0

# Where a system has no such flag (Windows has neither of the first two) none is needed.
_SAFELY = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_READ = os.O_RDONLY | _SAFELY | getattr(os, "O_NONBLOCK", 0)  # a FIFO in place of an entry must not hang us
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _SAFELY
_ENTRY = r"[A-Za-z0-9_]+_[0-9a-f]{16}\.py"
_TEMPORARY = r"\.[A-Za-z0-9_]+_[0-9a-f]{16}\.[0-9]+\.[0-9a-f]{12}\.tmp"


class _RefusedError(OSError):
    """Something on disk that is left alone: not ours, writable by others, or not what it should be."""


class _DamagedError(ValueError):
    """An entry that is not what was saved under its key."""


@dataclass(frozen=True, slots=True)
class Entry:
    """The source of one generated module, and JSON values that describe it.

    `metadata["name"]` names the file.  `key` and `file` are filled in by the store; `file` is `None` for an
    entry that lives in memory only.
    """

    source: str
    metadata: dict[str, Any] = field(default_factory=dict)
    key: str = ""
    file: str | None = None

    @property
    def path(self) -> pathlib.Path | None:
        """The file on disk, or `None` for an entry that lives in memory only."""
        import pathlib  # 3.5 ms, which neither `import symdiff` nor a warm first call has to pay

        return None if self.file is None else pathlib.Path(self.file)

    @property
    def stem(self) -> str:
        """The module's name, `<name>_<16 digits>`: an ASCII identifier that is safe in every file system."""
        name = str(self.metadata.get("name", ""))
        plain = "".join(c if c.isascii() and c.isalnum() else "_" for c in name).strip("_")
        return f"{plain[:60] or 'module'}_{(self.key or _sha256(self.source))[:16]}"

    @property
    def filename(self) -> str:
        """What tracebacks, debuggers and `inspect` show as the module's file."""
        return self.file or f"<symdiff {self.stem}>"


def key_of(parts: Mapping[str, str]) -> str:
    """SHA-256 of `parts` as 64 hex digits: the same in every process, whatever the order of the mapping."""
    return _sha256(_canonical(dict(parts)))


def execute(entry: Entry) -> dict[str, Any]:
    """Run the module and return its namespace.

    The source is known to `linecache` first, also for entries in memory, so that tracebacks, debuggers and
    `inspect.getsource` show it.
    """
    lines = list(io.StringIO(entry.source, newline=None))  # `splitlines` would split at more than Python does
    linecache.cache[entry.filename] = (len(entry.source), None, lines, entry.filename)
    namespace: dict[str, Any] = {"__name__": entry.stem, "__file__": entry.filename}
    exec(compile(entry.source, entry.filename, "exec", dont_inherit=True), namespace)
    return namespace


class Store:
    """Entries in memory and below `folder`, by default the folder that the environment names at each call.

    `SYMDIFF_CACHE` is read at each call: `disk` (the default), `readonly` (memory, and reading from disk),
    `memory`, `off` (nothing is kept).  Another value is a `SymdiffError`, the only error a caller can meet.
    Safe to share between threads and to use after a fork: its only state are two dicts with atomic updates.
    """

    def __init__(self, folder: str | os.PathLike[str] | None = None):
        self._folder = folder
        self._memory: dict[str, Entry] = {}
        self._warned: dict[tuple[str, str], object] = {}

    def load(self, key: str) -> Entry | None:
        """The entry that this or another process saved under `key`, or `None`."""
        mode = _mode()
        if mode == "off":
            return None
        entry = self._memory.get(key)
        if entry is None and mode in ("disk", "readonly"):
            entry = self._load_from_disk(key)
            if entry is not None:
                self._memory[key] = entry
        return entry

    def save(self, key: str, entry: Entry) -> Entry:
        """Keep `entry` under `key`, and return it as `load` will.

        The source gets a final newline where it has none.  Metadata that JSON cannot hold is a bug of the
        caller: a `TypeError`, in every mode.
        """
        mode = _mode()
        source = entry.source if entry.source.endswith("\n") else entry.source + "\n"
        entry = Entry(source, json.loads(json.dumps(entry.metadata)), key)
        if mode == "disk":
            entry = self._save_to_disk(entry)
        if mode != "off":
            self._memory[key] = entry
        return entry

    def prune(self, max_bytes: int) -> int:
        """Remove entries from disk, oldest first, until the rest takes at most `max_bytes`; how many went.

        What killed processes left behind goes too.  Entries in memory stay, and so do all in other modes.
        """
        if _mode() != "disk":
            return 0
        removed = kept = 0
        try:
            for _, size, path in sorted(_entries(self._own_folder()), reverse=True):
                kept += size
                if kept > max_bytes:
                    removed += _remove(path)
        except FileNotFoundError:
            pass  # there is no folder yet, or somebody else is pruning it
        except Exception as error:
            self._warn("the cache cannot be pruned", self._where(), error)
        return removed

    def clear(self) -> None:
        """Forget all entries, in memory and (in mode `disk`) on disk."""
        self._memory.clear()
        self.prune(-1)

    def _where(self) -> str:
        return str(self._folder or os.environ.get("SYMDIFF_CACHE_DIR") or "the user's cache folder")

    def _own_folder(self, *, create: bool = False) -> str:
        """The folder, where nobody else can write to it; it may be reached through a link."""
        folder = _default_folder() if self._folder is None else os.path.abspath(self._folder)
        if create:
            os.makedirs(folder, 0o700, exist_ok=True)
        _require_own_folder(folder, os.stat(folder))
        return folder

    def _own_shard(self, key: str, *, create: bool = False) -> str:
        """The folder of the entries whose keys begin like `key`; never a link."""
        if not re.fullmatch("[0-9a-f]{64}", key):
            raise _RefusedError(f"{key!r} is not a key made by key_of")
        shard = os.path.join(self._own_folder(create=create), key[:2])
        if create:
            os.makedirs(shard, 0o700, exist_ok=True)
        _require_own_folder(shard, os.lstat(shard))
        return shard

    def _load_from_disk(self, key: str) -> Entry | None:
        try:
            shard = self._own_shard(key)
            names = [name for name in os.listdir(shard) if name.endswith(f"_{key[:16]}.py")]
        except FileNotFoundError:
            return None
        except Exception as error:
            self._warn("the cache is not used", self._where(), error)
            return None
        for name in names:
            path = os.path.join(shard, name)
            try:
                return _read(path, key)
            except FileNotFoundError:
                continue  # pruned a moment ago
            except Exception as error:
                self._warn("a cache entry is not used, its code is generated again", path, error)
        return None

    def _save_to_disk(self, entry: Entry) -> Entry:
        try:
            shard = self._own_shard(entry.key, create=True)
            _sweep(shard)
            return _write(shard, entry)
        except Exception as error:
            self._warn("generated code is kept in memory only", self._where(), error)
            return entry

    def _warn(self, what: str, where: str, error: Exception) -> None:
        """Log a trouble the first time that it is met."""
        mine = object()
        if self._warned.setdefault((what, where), mine) is not mine:
            return
        import logging  # 3.4 ms that only trouble has to pay

        logger = logging.getLogger("symdiff")
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())
        logger.getChild("cache").warning("%s (%s): %s", what, where, error)


def _mode() -> str:
    mode = os.environ.get("SYMDIFF_CACHE") or "disk"
    if mode not in MODES:
        raise SymdiffError(
            f"the environment variable SYMDIFF_CACHE is {mode!r}, which is no mode of the cache.",
            f"SYMDIFF_CACHE={'|'.join(MODES)}, or leave it unset (disk).",
        )
    return mode


def _default_folder() -> str:
    """`SYMDIFF_CACHE_DIR`, or `symdiff` in the folder where the system keeps caches."""
    folder = os.path.expanduser(os.environ.get("SYMDIFF_CACHE_DIR", ""))
    if not folder and sys.platform == "linux":
        # What platformdirs answers here, without its 8 ms of imports; a test compares the two.
        xdg, home = os.environ.get("XDG_CACHE_HOME", ""), os.environ.get("HOME", "")
        if os.path.isabs(xdg):
            folder = os.path.join(xdg, "symdiff")
        elif os.path.isabs(home):
            folder = os.path.join(home, ".cache", "symdiff")
    if not folder:
        import platformdirs

        folder = platformdirs.user_cache_dir("symdiff", appauthor=False)
    if folder.startswith("~"):
        raise _RefusedError(f"{folder}: this user has no home folder")
    return os.path.abspath(folder)


def _require_own(path: str, status: os.stat_result) -> None:
    """Refuse what somebody else owns or can write to; without owners (Windows) this is left to the system."""
    if hasattr(os, "geteuid") and (status.st_uid != os.geteuid() or status.st_mode & 0o022):
        raise _RefusedError(f"{path} belongs to another user or is writable for others")


def _require_own_folder(path: str, status: os.stat_result) -> None:
    if not stat.S_ISDIR(status.st_mode):
        raise _RefusedError(f"{path} is not a folder")
    _require_own(path, status)


def _read(path: str, key: str) -> Entry:
    """The entry in the file `path`, once it is sure that it is ours and what was saved under `key`."""
    if os.path.islink(path):
        raise _RefusedError(f"{path} is a symbolic link")
    descriptor = os.open(path, _READ)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise _RefusedError(f"{path} is not a file")
        _require_own(path, status)
        with open(descriptor, "rb", closefd=False) as file:
            data = file.read(MAX_ENTRY_BYTES)
    finally:
        os.close(descriptor)
    return replace(_parse(data, key), file=path)


def _write(shard: str, entry: Entry) -> Entry:
    """Write the entry, rename it into place, and return what is there now."""
    path = os.path.join(shard, f"{entry.stem}.py")
    with contextlib.suppress(FileNotFoundError):
        status = os.lstat(path)
        if stat.S_ISREG(status.st_mode):
            _require_own(path, status)
        elif stat.S_ISDIR(status.st_mode):
            _remove(path)  # all else, links included, gives way to the rename
    data = _render(entry)
    temporary = os.path.join(shard, f".{entry.stem}.{os.getpid()}.{os.urandom(6).hex()}.tmp")
    descriptor = os.open(temporary, _WRITE, 0o600)
    try:
        try:
            written = 0
            while written < len(data):
                written += os.write(descriptor, data[written:])
        finally:
            os.close(descriptor)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    return _read(path, entry.key)


def _render(entry: Entry) -> bytes:
    """The file of an entry.  Only the last line is JSON, so any source can stand above it."""
    header = {"format": FORMAT, "key": entry.key, "metadata": entry.metadata}
    header["sha256"] = _sha256(entry.source + _canonical(header))
    return f"{entry.source}{MARK}{_canonical(header)}\n".encode()


def _parse(data: bytes, key: str) -> Entry:
    """The entry whose file is exactly `data`."""
    try:
        source, _, last = data.decode()[:-1].rpartition("\n")
        metadata = json.loads(last.removeprefix(MARK))["metadata"]
        entry = Entry(source + "\n", metadata, key)
        if _render(entry) == data:
            return entry
    except (ValueError, LookupError, TypeError, RecursionError):
        pass
    raise _DamagedError("it is damaged, or not of this version")


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _sha256(text: str) -> str:
    import hashlib  # 3 ms, which `import symdiff` does not have to pay

    return hashlib.sha256(text.encode()).hexdigest()


def _entries(folder: str) -> Iterator[tuple[float, int, str]]:
    """Modification time, size and path of all entries; what dead writers left is removed on the way."""
    for shard in os.listdir(folder):
        path = os.path.join(folder, shard)
        if not re.fullmatch("[0-9a-f]{2}", shard) or not stat.S_ISDIR(os.lstat(path).st_mode):
            continue  # SYMDIFF_CACHE_DIR may name a folder that holds other things
        _sweep(path)
        with os.scandir(path) as found:
            for item in found:
                if re.fullmatch(_ENTRY, item.name):
                    status = item.stat(follow_symlinks=False)
                    yield status.st_mtime, status.st_size, item.path


def _sweep(shard: str) -> None:
    """Remove the temporary files of writers that died: a live one needs milliseconds, not an hour."""
    for name in os.listdir(shard):
        if re.fullmatch(_TEMPORARY, name):
            path = os.path.join(shard, name)
            with contextlib.suppress(OSError):
                if time.time() - os.lstat(path).st_mtime > TEMPORARY_SECONDS:
                    _remove(path)


def _remove(path: str) -> bool:
    """Remove what is at `path` (a link itself, never its target); whether it was still there."""
    try:
        if stat.S_ISDIR(os.lstat(path).st_mode):
            import shutil

            shutil.rmtree(path)
        else:
            os.unlink(path)
    except FileNotFoundError:
        return False
    return True
