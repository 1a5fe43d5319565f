"""Benchmarks: `python -m bench part1` measures the generated code against hand-derived NumPy."""
