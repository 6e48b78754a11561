# SPDX-License-Identifier: Apache-2.0
"""How fast is a software stack on a core? One multiplicative model of all published cycles at once.

  cycles of a network  =  sum over operator classes c of  counted instructions[table, c] x factor[c]
  log factor[c]        =  table + table.c + stack + stack.c + its versions' steps (+ .c) + core + core.c + stack.core + board + submission.c

Every term is drawn to 0 with the standard deviation in SPREAD (ridge regression of the log of cycles, Levenberg-Marquardt; maximum a posteriori). So a stack
that was measured on one core carries over to another by the ratio of the two cores under all other stacks, a version by its neighbours, and what few rows
do not tell apart (four networks, five classes) stays together. A version's term is a sum of steps from the first version on: neighbours resemble each other."""
import numpy as np

CLASSES = ["conv", "pointwise", "depthwise", "fully_connected", "other"]
SPREAD = {"table": 3, "table.c": 1, "stack": 1, "stack.c": 3, "version": 0.18, "version.c": 0.05, "core": 3, "core.c": 0.27, "stack.core": 0.036,
          "board": 1, "submission.c": 0.1}
NOISE = 0.016  # of the log of a network's cycles


def terms(row, c):
    """Names of the terms of log factor[c]; a row has table, stack, steps (versions up to its own), core, board (None: any)."""
    kinds = [("table", row["table"]), ("stack", row["stack"]), ("core", row["core"]), *(("version", row["stack"], v) for v in row["steps"])]
    single = [("stack.core", row["stack"], row["core"]), ("board", row["board"])]
    return kinds + [(k[0] + ".c", *k[1:], c) for k in kinds] + single + [("submission.c", row["stack"], row["steps"][-1], row["board"], c)]


def spread(name):
    return SPREAD[name[0]]


class Speeds:
    """Fitted to rows that also have counts (instructions by class) and cycles; start: an earlier fit of nearly the same rows."""

    def __init__(self, rows, start=None):
        names = [[terms(r, c) for c in range(len(CLASSES))] for r in rows]
        self.index = {n: i for i, n in enumerate(dict.fromkeys(n for row in names for one in row for n in one))}
        self.theta = np.array([start.theta[start.index[n]] if start and n in start.index else 0.0 for n in self.index])
        design = np.zeros((len(rows), len(CLASSES), len(self.index)))
        for i, row in enumerate(names):
            for c, one in enumerate(row):
                design[i, c, [self.index[n] for n in one]] = 1
        self._solve(np.array([r["counts"] for r in rows], float), np.log([r["cycles"] for r in rows]), design)

    def _solve(self, counts, y, design):
        prior = np.array([spread(n) ** -2 for n in self.index])

        def at(theta):
            parts = counts * np.exp(np.clip(design @ theta, -12, 12))
            f = np.log(parts.sum(1))
            return parts, f, ((y - f) ** 2).sum() / NOISE ** 2 + (prior * theta ** 2).sum()

        damping, (parts, f, loss) = 1.0, at(self.theta)
        for _ in range(200):
            jacobian = np.einsum("ic,icn->in", parts / parts.sum(1, keepdims=True), design)
            hessian = jacobian.T @ jacobian / NOISE ** 2 + np.diag(prior)
            gradient = jacobian.T @ (y - f) / NOISE ** 2 - prior * self.theta
            while True:
                step = np.linalg.solve(hessian + damping * np.diag(np.diag(hessian)), gradient)
                tried = at(self.theta + step)
                if tried[2] <= loss or damping > 1e9:
                    break
                damping *= 4
            gain = loss - tried[2]
            self.theta, (parts, f, loss), damping = self.theta + step, tried, max(damping / 8, 1e-9)
            if gain < 1e-5 * loss:
                break
        self.covariance = np.linalg.inv(hessian)

    def factors(self, row):
        return np.exp([sum(self.theta[self.index[n]] for n in terms(row, c) if n in self.index) for c in range(len(CLASSES))])

    def cycles(self, row):
        return float(row["counts"] @ self.factors(row))

    def deviation(self, row):
        """Standard deviation of the log of cycles(row): of the terms that were seen, of those that were not, of the noise."""
        shares = row["counts"] * self.factors(row)
        shares = shares / shares.sum()
        seen, unseen = np.zeros(len(self.index)), {}
        for c, share in enumerate(shares):
            for n in terms(row, c):
                if n in self.index:
                    seen[self.index[n]] += share
                else:
                    unseen[n] = unseen.get(n, 0) + share
        return float(np.sqrt(seen @ self.covariance @ seen + sum((spread(n) * v) ** 2 for n, v in unseen.items()) + NOISE ** 2))
