"""Rows of SciPy, a module for each of its own; `ops.row` imports one when the library it is about is there.

SciPy is no dependency: nothing here is imported before the user's program has imported that part of it.
"""
