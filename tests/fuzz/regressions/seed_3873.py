"""Seed 3873: a gradient that is a whole number in one branch is a float."""

WRT = "p"


def f(q, p, c):
    if c > 0:
        return q
    if c < -2:
        return 3 * p
    return p


def arguments():
    return 1, 0.5, -1.0
