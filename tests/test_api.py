"""What a user may rely on, over the whole corpus: values, gradients, types, memory, shapes and layouts."""

from __future__ import annotations

import functools
import inspect
import itertools

import numpy as np
import pytest
from corpus import CASES, FIELDS, Case, leaves, mapped, names_of, numerical, parts

from symdiff import grad, value_and_grad, vjp

RUNS = [(case, size) for case in CASES for size in case.sizes]
IDS = [f"{case}-{n}-{m}" for case, (n, m) in RUNS]
SOME = [case for case in CASES if len(case.sizes) > 1]


def scalar(case: Case):
    """The differentiated part of a case's value."""
    return (lambda value: value[0]) if case.options.get("has_aux") else (lambda value: value)


def bits(value):
    """Types and bytes of a value, through its containers."""
    found = parts(value)
    if found is not None:
        return found[0], [(key, bits(child)) for key, child in found[1]]
    if isinstance(value, np.ndarray | np.generic | float | complex):
        return type(value), np.asarray(value).dtype, np.shape(value), np.asarray(value).tobytes()
    return type(value), value


def check_like(gradient, argument):
    """The gradient has the structure and types of its argument."""
    found, wanted = parts(gradient), parts(argument)
    assert (found is None) == (wanted is None)
    if found is not None and wanted is not None:
        assert found[0] is wanted[0]
        assert [key for key, _ in found[1]] == [key for key, _ in wanted[1]]
        for (_, inner), (_, original) in zip(found[1], wanted[1], strict=True):
            check_like(inner, original)
    elif isinstance(argument, np.ndarray):
        assert type(gradient) is np.ndarray
        assert gradient.shape == argument.shape
        assert gradient.dtype.newbyteorder("=") == argument.dtype.newbyteorder("=")
        assert gradient.flags.c_contiguous
        assert gradient.flags.writeable
    elif leaves(argument):
        assert type(gradient) is type(argument)
    else:
        assert gradient == argument


def arrays(value):
    return [leaf for leaf in leaves(value) if isinstance(leaf, np.ndarray)]


def check_apart(gradients, inputs):
    """No gradient shares memory with an input or another gradient."""
    own = arrays(gradients)
    for a, b in itertools.combinations([*own, *arrays(inputs)], 2):
        assert not (any(a is one for one in own) and np.shares_memory(a, b))


def close(found, wanted, single=False):
    tolerance = 2e-5 if single else 1e-8
    np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=tolerance)


def check_gradients(case: Case, gradients, args, kwargs, weigh=None):
    """Structure, types, memory and numbers of the gradients of one call."""
    many = isinstance(case.wrt, tuple)
    assert isinstance(gradients, tuple) or not many
    given = case_arguments(case, args, kwargs)
    wanted = numerical(case.function, case.wrt, args, kwargs, weigh or scalar(case))
    for gradient, argument, numbers in zip(gradients if many else (gradients,), given, wanted, strict=True):
        check_like(gradient, argument)
        for found, expected in zip(leaves(gradient), numbers, strict=True):
            close(found, expected, is_single(args))
    check_apart(gradients, (list(args), kwargs))


def is_single(value):
    return any(np.result_type(leaf) == np.float32 for leaf in leaves(value))


def case_arguments(case: Case, args, kwargs):
    bound = inspect.signature(case.function).bind(*args, **kwargs)
    bound.apply_defaults()
    return [bound.arguments[name] for name in names_of(case.function, case.wrt)]


# --- the corpus ---------------------------------------------------------------------------------------------


def test_the_corpus_is_large_enough():
    assert len(CASES) >= 60
    assert len({str(case) for case in [*CASES, *FIELDS]}) == len(CASES) + len(FIELDS)


@pytest.mark.parametrize(("case", "size"), RUNS, ids=IDS)
def test_value_and_gradient(case, size):
    args, kwargs = case.arguments(size)
    before = bits((args, kwargs))
    value, gradients = value_and_grad(case.function, wrt=case.wrt, **case.options)(*args, **kwargs)
    alone = grad(case.function, wrt=case.wrt, **case.options)(*args, **kwargs)
    assert bits((args, kwargs)) == before
    assert bits(value) == bits(case.function(*args, **kwargs))
    check_gradients(case, gradients, args, kwargs)
    if case.options.get("has_aux"):
        assert bits(alone[0]) == bits(value)
        alone = alone[1]
    for one, other in zip(leaves(gradients), leaves(alone), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6 if is_single(args) else 1e-12)


@pytest.mark.parametrize("case", [case for case in CASES if not case.options], ids=str)
def test_pullback(case):
    args, kwargs = case.arguments()
    before = bits((args, kwargs))
    value, pullback = vjp(case.function, wrt=case.wrt)(*args, **kwargs)
    once, again, double = pullback(1.0), pullback(1.0), pullback(-2.0)
    assert bits((args, kwargs)) == before
    assert bits(value) == bits(case.function(*args, **kwargs))
    assert bits(once) == bits(again)
    check_gradients(case, once, args, kwargs)
    check_apart([once, again], (list(args), kwargs))
    for one, two in zip(leaves(once), leaves(double), strict=True):
        np.testing.assert_allclose(-2 * one, two, rtol=1e-6 if is_single(args) else 1e-13)


@pytest.mark.parametrize("case", FIELDS, ids=str)
def test_pullback_of_a_field(case):
    for size in case.sizes:
        args, kwargs = case.arguments(size)
        before = bits((args, kwargs))
        value, pullback = vjp(case.function, wrt=case.wrt)(*args, **kwargs)
        assert bits(value) == bits(case.function(*args, **kwargs))
        rng = np.random.default_rng(3)
        first, second = (mapped(value, functools.partial(random_like, rng)) for _ in range(2))
        kept = bits((first, second))

        def weigh(result, cotangent=first):
            pairs = zip(leaves(result), leaves(cotangent), strict=True)
            return sum(float(np.sum(one * weight)) for one, weight in pairs)

        gradients = pullback(first)
        check_gradients(case, gradients, args, kwargs, weigh)
        check_apart(gradients, (first, second))
        total = mapped_pairs(lambda a, b: 3 * a + b, first, second)
        for one, two, both in zip(
            leaves(gradients), leaves(pullback(second)), leaves(pullback(total)), strict=True
        ):
            np.testing.assert_allclose(3 * one + two, both, rtol=1e-12)
        assert bits((first, second)) == kept
        assert bits((args, kwargs)) == before


def random_like(rng, leaf):
    return rng.standard_normal(np.shape(leaf))[()]


def mapped_pairs(change, one, other):
    others = iter(leaves(other))
    return mapped(one, lambda leaf: change(leaf, next(others)))


@pytest.mark.parametrize("case", SOME, ids=str)
def test_one_gradient_serves_all_shapes(case):
    """Patterns of sizes equal to 1 are signatures of their own; all other sizes share one."""
    derivative = value_and_grad(case.function, wrt=case.wrt, **case.options)
    for size in [*case.sizes, *case.sizes[::-1]]:
        args, kwargs = case.arguments(size)
        _, gradients = derivative(*args, **kwargs)
        check_gradients(case, gradients, args, kwargs)
    (args, kwargs), (others, other_kwargs) = map(case.arguments, case.sizes[:2])
    same = derivative.compiled_for(*args, **kwargs) is derivative.compiled_for(*others, **other_kwargs)
    assert same or str(case) in SPECIALISED


SPECIALISED: set[str] = set()


def reversed_twice(x):
    return np.flip(np.flip(x).copy())


def every_second(x):
    if not x.ndim:
        return x
    wide = np.full((*x.shape[:-1], 2 * x.shape[-1]), np.nan if x.dtype.kind in "fc" else 9, x.dtype)
    wide[..., ::2] = x
    return wide[..., ::2]


def read_only(x):
    x = x.copy()
    x.flags.writeable = False
    return x


def swapped(x):
    return x.astype(x.dtype.newbyteorder())


LAYOUTS = [np.asfortranarray, reversed_twice, every_second, read_only, swapped]


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.__name__)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_layouts(case, layout):
    args, kwargs = case.arguments()
    value, plain = value_and_grad(case.function, wrt=case.wrt, **case.options)(*args, **kwargs)
    laid = mapped((list(args), kwargs), lambda leaf: layout(leaf) if isinstance(leaf, np.ndarray) else leaf)
    with np.errstate(all="ignore"):  # NumPy's products of swapped bytes raise floating-point flags by chance
        other, gradients = value_and_grad(case.function, wrt=case.wrt, **case.options)(*laid[0], **laid[1])
    single = is_single(args)
    for one, two in zip(leaves((value, plain)), leaves((other, gradients)), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-5 if single else 1e-11, atol=1e-12)
    for gradient, argument in zip(
        gradients if isinstance(case.wrt, tuple) else (gradients,), case_arguments(case, *laid), strict=True
    ):
        check_like(gradient, argument)
    check_apart(gradients, laid)


def test_empty_arrays():
    """Where the function itself has a finite value for empty arrays, so does its gradient."""
    served = 0
    with np.errstate(all="ignore"):
        for case in SOME:
            try:
                args, kwargs = case.arguments((0, 3))
                value = case.function(*args, **kwargs)
            except (ValueError, IndexError, np.linalg.LinAlgError, ZeroDivisionError, RuntimeWarning):
                continue
            if np.isfinite(scalar(case)(value)):
                found, gradients = value_and_grad(case.function, wrt=case.wrt, **case.options)(
                    *args, **kwargs
                )
                assert bits(found) == bits(value), case
                check_gradients(case, gradients, args, kwargs)
                served += 1
    assert served >= 30
