"""The twelve evals of GradBench (https://github.com/gradbench/gradbench), written as a NumPy user would.

One module per eval: plain functions, undecorated, and `case(rng, tiny)` with inputs of the eval's form.
`bench.gradbench.runner` differentiates, validates and times them: `python -m bench gradbench`.
"""
