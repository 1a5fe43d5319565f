"""`fit`: epochs of training steps over batches of data.

Enters: a loss, a start, data and an optimizer.  Leaves: a `History`.  Invariant: the caller's arrays are
never written; a run that is continued from its history gives bit for bit what one longer run gives, also
from the middle of an epoch.
"""

from __future__ import annotations

import copy
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy import ndarray

from symdiff.errors import ShapeError, SymdiffError
from symdiff.optim import Optimizer, State
from symdiff.train import TrainStep, as_differentiable, require_apart, shown, train_step

Metric = Callable[..., Any]


@dataclass
class History:
    """How a training run went, and all that is needed to continue it.

    params: the parameters after the last complete step, in the structure of the start.  losses: by epoch,
    the mean of the loss over its batches, each before its update.  validation: by epoch, the loss on the
    validation data after it.  metrics: by name and epoch.  times: seconds by epoch.  epoch: how many are
    complete.  interrupted: whether the run was ended by Ctrl-C.  The rest is the position in the run: the
    optimizer's state, the generator's at the start of the epoch, and the batches, samples, mean loss and
    seconds of an epoch that is not complete.
    """

    params: Any
    losses: list[float] = field(default_factory=list)
    validation: list[float] = field(default_factory=list)
    metrics: dict[str, list[float]] = field(default_factory=dict)
    times: list[float] = field(default_factory=list)
    epoch: int = 0
    interrupted: bool = False
    state: State = field(default_factory=dict)
    generator: dict[str, Any] = field(default_factory=dict)
    batches: int = 0
    samples: int = 0
    mean: float = 0.0
    seconds: float = 0.0

    def __repr__(self) -> str:
        last = f", loss {self.losses[-1]:.6g}" if self.losses else ""
        return f"<history of {self.epoch} epochs{last}{', interrupted' * self.interrupted}>"


def fit(
    loss: Callable[..., Any],
    params: Any,
    data: Any,
    optimizer: Optimizer,
    epochs: int = 1,
    batch_size: int | None = None,
    seed: int | None = 0,
    validation: Any = None,
    metrics: Mapping[str, Metric] | None = None,
    progress: bool | None = None,
    history: History | None = None,
    shuffle: bool = True,
    callback: Callable[[History], object] | None = None,
) -> History:
    """Minimise the mean of `loss(params, *batch)` over `data`, from a copy of `params` on.

    loss: a function or `Differentiable` of the parameters, first, and of one batch.  data: an array, or a
    tuple of arrays of equal first length.  batch_size: None takes all data at once, in its order; otherwise
    every epoch runs over a permutation of `np.random.default_rng(seed)` (the data's own order with
    shuffle=False), the last batch being smaller where the sizes say so.  validation: data like `data`.
    metrics: by name, functions of (params, *data), taken after every epoch on the validation data, or on
    `data` where there is none.  progress: whether to show a bar; None means on a terminal, if tqdm is
    installed.  history: a run to continue for `epochs` more; its parameters and generator take the place of
    `params` and `seed`, and it stays as it is.  callback: called with the history after every epoch; a
    result of True ends the run.

    Ctrl-C ends the run after the batch at hand; the history says `interrupted` and can be continued.
    Raises SymdiffError for data and parameters that cannot be trained on.
    """
    arrays = _data("data", data)
    held_out = None if validation is None else _data("validation", validation)
    size = len(arrays[0]) if batch_size is None else _count("batch_size", batch_size, 1)
    made = as_differentiable(loss)
    step = train_step(made, optimizer, wrt=0)
    run = _started(params, seed) if history is None else _continued(history)
    if run.epoch or run.batches:
        step.state = run.state
    training = _Run(made, step, run, arrays, held_out, metrics or {}, min(size, len(arrays[0])), shuffle)
    with _patience() as asked, _bar(progress, _count("epochs", epochs, 0) * training.count) as show:
        try:
            for _ in range(epochs):
                if not training.epoch(asked, show) or (callback is not None and callback(run) is True):
                    break
        except KeyboardInterrupt:
            if training.stepping:
                raise  # asked twice: the parameters may be anything by now
            run.interrupted = True
    return run


@dataclass(slots=True)
class _Run:
    """A run under way; `stepping` is True while parameters are written."""

    loss: Callable[..., Any]
    step: TrainStep
    history: History
    data: tuple[ndarray, ...]
    validation: tuple[ndarray, ...] | None
    metrics: Mapping[str, Metric]
    size: int
    shuffle: bool
    stepping: bool = False

    @property
    def count(self) -> int:
        """Batches in an epoch."""
        return -(-len(self.data[0]) // self.size)

    def epoch(self, asked: Callable[[], bool], show: Callable[[History], None]) -> bool:
        """One epoch, or what is left of one; False where it was interrupted."""
        run, total = self.history, len(self.data[0])
        generator = np.random.default_rng()
        generator.bit_generator.state = run.generator
        order = generator.permutation(total) if self.shuffle and self.size < total else None
        began, before = time.perf_counter(), run.seconds
        for k in range(run.batches, self.count):
            if asked():
                run.interrupted = True
                return False
            rows = slice(k * self.size, (k + 1) * self.size)
            self._batch([array[rows if order is None else order[rows]] for array in self.data])
            run.seconds = before + time.perf_counter() - began
            show(run)
        self._evaluate()
        run.losses.append(run.mean)
        run.times.append(run.seconds)
        run.generator = dict(generator.bit_generator.state)
        run.epoch, run.batches, run.samples, run.mean, run.seconds = run.epoch + 1, 0, 0, 0.0, 0.0
        return True

    def _batch(self, batch: list[ndarray]) -> None:
        run, samples = self.history, len(batch[0])
        self.stepping = True
        value = self.step(run.params, *batch)
        self.stepping = False
        run.state = self.step.state
        run.batches += 1
        run.samples += samples
        run.mean += (self._scalar(value) - run.mean) * (samples / run.samples)

    def _evaluate(self) -> None:
        run, data = self.history, self.data if self.validation is None else self.validation
        values = {name: float(metric(run.params, *data)) for name, metric in self.metrics.items()}
        if self.validation is not None:
            run.validation.append(self._scalar(self.loss(run.params, *self.validation)))
        for name, value in values.items():
            run.metrics.setdefault(name, []).append(value)

    def _scalar(self, value: Any) -> float:
        return float(value[0] if self.step.aux else value)


def _started(params: Any, seed: int | None) -> History:
    return History(_copied(params), generator=dict(np.random.default_rng(seed).bit_generator.state))


def _continued(history: History) -> History:
    """A history of its own that goes on where `history` ends."""
    run = copy.copy(history)
    run.params, run.state = _copied(history.params), _copied(history.state)
    run.losses, run.validation, run.times = list(run.losses), list(run.validation), list(run.times)
    run.metrics = {name: list(values) for name, values in run.metrics.items()}
    run.interrupted = False
    return run


def _copied(value: Any) -> Any:
    """The same structure around copies of its arrays; no method of the user's runs."""
    from symdiff.frontend import describe, flatten, stage

    described = describe(value, ("params", ()))
    leaves = flatten(value, described.tree)
    places = [shown("params", leaf.path) for leaf in described.leaves]
    arrays = [(place, one) for place, one in zip(places, leaves, strict=True) if isinstance(one, ndarray)]
    require_apart(arrays, [])
    return stage(described.tree, iter([one.copy() if isinstance(one, ndarray) else one for one in leaves]))


def _data(name: str, data: Any) -> tuple[ndarray, ...]:
    arrays = tuple(data) if isinstance(data, tuple | list) else (data,)
    if not arrays or not all(isinstance(one, ndarray) and one.ndim for one in arrays):
        raise SymdiffError(
            f"fit: {name} is not made of arrays.", "an array, or a tuple of arrays such as (x, y)"
        )
    lengths = [len(one) for one in arrays]
    if len(set(lengths)) > 1 or not lengths[0]:
        raise ShapeError(
            f"fit: the arrays of {name} have lengths {', '.join(map(str, lengths))}.",
            "one row for every sample in each array, and at least one sample",
        )
    return arrays


def _count(name: str, value: Any, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise SymdiffError(f"fit: {name} is {value!r}.", f"a whole number from {least}")
    return int(value)


@contextmanager
def _patience() -> Iterator[Callable[[], bool]]:
    """Ctrl-C is noted and waits for the end of the batch; a second one does not wait.

    Only where Python's own handler is in place: elsewhere an interruption is somebody else's business.
    """
    count = 0

    def note(number: int, frame: object) -> None:
        nonlocal count
        count += 1
        if count > 1:
            raise KeyboardInterrupt

    main = threading.current_thread() is threading.main_thread()
    ours = main and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if ours:
        signal.signal(signal.SIGINT, note)
    try:
        yield lambda: count > 0
    finally:
        if ours:
            signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def _bar(progress: bool | None, total: int) -> Iterator[Callable[[History], None]]:
    """A progress bar over batches, or nothing."""
    made = None
    if progress or (progress is None and sys.stderr is not None and sys.stderr.isatty()):
        try:
            from tqdm import tqdm
        except ImportError:
            if progress:
                raise SymdiffError("fit: progress=True needs tqdm.", "pip install tqdm") from None
        else:
            made = tqdm(total=total, unit="batch", mininterval=0.2)

    def show(run: History) -> None:
        if made is not None:
            made.set_postfix(epoch=run.epoch + 1, loss=f"{run.mean:.4g}", refresh=False)
            made.update()

    try:
        yield show
    finally:
        if made is not None:
            made.close()
