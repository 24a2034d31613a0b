"""The four problems of ADBench (F. Srajer, Z. Kukelova and A. Fitzgibbon, "A benchmark of selected algorithmic
differentiation tools on some problems in computer vision and machine learning", 2018), beside other libraries: part of
``make bench``.

Each objective is written once, over a namespace ``xp`` that follows NumPy: unigrad's, JAX's, PyTorch's and HIPS
autograd's. What is measured is the gradient of a number by all parameters: of residuals, half the sum of their squares.
"""

from __future__ import annotations

import math
import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from measuring import Program, Row, fastest

import unigrad as ug

Values = np.ndarray[Any, Any]
Objective = Callable[..., Any]

# --- Gaussian mixtures ---------------------------------------------------------------------------------------------

WISHART_GAMMA, WISHART_M = 1.0, 0


def gmm(xp: Any, alphas: Any, means: Any, diagonal: Any, lower: Any, x: Any, places: Any) -> Any:
    """The logarithm of the posterior of a mixture: weights, means, and roots of the inverse covariances.

    ``places`` brings the elements below the diagonal of each root, as vectors, to their places in a matrix.
    """
    count, size = x.shape
    mixtures = alphas.shape[0]
    scales = xp.exp(diagonal)
    roots = xp.reshape(xp.matmul(lower, places), (mixtures, size, size))
    apart = x[:, None, :] - means[None, :, :]
    turned = apart * scales + xp.einsum("kde,nke->nkd", roots, apart)
    terms = alphas + xp.sum(diagonal, axis=1) - 0.5 * xp.sum(turned * turned, axis=2)
    likelihood = xp.sum(xp.logsumexp(terms, axis=1)) - count * xp.logsumexp(alphas, axis=0)
    squares = xp.sum(scales * scales) + xp.sum(lower * lower)
    prior = 0.5 * WISHART_GAMMA**2 * squares - WISHART_M * xp.sum(diagonal)
    freedom = size + WISHART_M + 1
    gammas = sum(math.lgamma(0.5 * freedom + 0.5 * (1 - j)) for j in range(1, size + 1))
    normal = freedom * size * (math.log(WISHART_GAMMA) - 0.5 * math.log(2))
    normal -= 0.25 * size * (size - 1) * math.log(math.pi) + gammas
    return likelihood + prior - mixtures * normal - count * size * 0.5 * math.log(2 * math.pi)


def gmm_data() -> tuple[list[Values], list[Values]]:
    """10 mixtures in 10 dimensions, 1,000 points."""
    rng = np.random.default_rng(0)
    mixtures, size, points = 10, 10, 1_000
    columns, rows = np.triu_indices(size, 1)
    places = np.zeros((len(rows), size * size))
    places[np.arange(len(rows)), rows * size + columns] = 1
    parameters = [
        rng.normal(size=mixtures), rng.normal(size=(mixtures, size)), 0.1 * rng.normal(size=(mixtures, size)),
        0.1 * rng.normal(size=(mixtures, len(rows))),
    ]  # fmt: skip
    return parameters, [rng.normal(size=(points, size)), places]


# --- bundle adjustment ---------------------------------------------------------------------------------------------


def rotated(xp: Any, axis: Any, x: Any) -> Any:
    """Each x turned by the length of its axis around it (Rodrigues)."""
    angle = xp.sqrt(xp.sum(axis * axis, axis=1))[:, None]
    unit = axis / angle
    cosine, sine = xp.cos(angle), xp.sin(angle)
    along = xp.sum(unit * x, axis=1)[:, None] * (1 - cosine)
    return x * cosine + crossed(xp, unit, x) * sine + unit * along


def crossed(xp: Any, a: Any, b: Any) -> Any:
    """The products of vectors, row by row."""
    a1, a2, a3, b1, b2, b3 = (v[:, i] for v in (a, b) for i in range(3))
    return xp.stack([a2 * b3 - a3 * b2, a3 * b1 - a1 * b3, a1 * b2 - a2 * b1], axis=1)


def bundle(xp: Any, cameras: Any, points: Any, weights: Any, seen: Any, camera: Any, point: Any) -> Any:
    """Errors of projections with radial distortion, and of their weights."""
    c, x = cameras[camera], points[point]
    x = rotated(xp, c[:, 0:3], x - c[:, 3:6])
    flat = x[:, 0:2] / x[:, 2:3]
    square = xp.sum(flat * flat, axis=1)[:, None]
    flat = flat * (1 + c[:, 9:10] * square + c[:, 10:11] * square * square)
    errors = (flat * c[:, 6:7] + c[:, 7:9] - seen) * weights[:, None]
    rest = 1 - weights * weights
    return 0.5 * (xp.sum(errors * errors) + xp.sum(rest * rest))


def bundle_data() -> tuple[list[Values], list[Values]]:
    """20 cameras, 300 points, 3,000 observations."""
    rng = np.random.default_rng(1)
    cameras = rng.normal(size=(20, 11)) * 0.1 + np.array([0.5, 0.4, 0.3, 0, 0, -5, 1, 0, 0, 0, 0])
    observations = 3_000
    camera, point = rng.integers(0, 20, observations), rng.integers(0, 300, observations)
    parameters = [cameras, rng.normal(size=(300, 3)), rng.uniform(0.5, 1.0, observations)]
    return parameters, [rng.normal(size=(observations, 2)), camera, point]


# --- long short-term memory ----------------------------------------------------------------------------------------


def lstm(xp: Any, main: Any, extra: Any, state: Any, sequence: Any) -> Any:
    """The loss of predicting each row of a sequence from those before it; gates act element by element."""
    layers = main.shape[0] // 2
    states = [(state[2 * layer], state[2 * layer + 1]) for layer in range(layers)]
    total = 0.0
    for row in range(sequence.shape[0] - 1):
        x = sequence[row] * extra[0]
        for layer in range(layers):
            hidden, cell = states[layer]
            weight, bias = main[2 * layer], main[2 * layer + 1]
            forget = xp.sigmoid(x * weight[0] + bias[0])
            entry = xp.sigmoid(hidden * weight[1] + bias[1])
            exit_ = xp.sigmoid(x * weight[2] + bias[2])
            cell = cell * forget + entry * xp.tanh(hidden * weight[3] + bias[3])
            x = exit_ * xp.tanh(cell)
            states[layer] = (x, cell)
        guess = x * extra[1] + extra[2]
        total = total + xp.sum(sequence[row + 1] * (guess - xp.log(xp.sum(xp.exp(guess)) + 2)))
    return -total / (sequence.shape[1] * (sequence.shape[0] - 1))


def lstm_data() -> tuple[list[Values], list[Values]]:
    """2 layers of 14, 10 rows."""
    rng = np.random.default_rng(2)
    parameters = [rng.normal(size=(4, 4, 14)), rng.normal(size=(3, 14)), rng.normal(size=(4, 14))]
    return parameters, [rng.integers(0, 2, (10, 14)).astype("float64")]


# --- hand tracking -------------------------------------------------------------------------------------------------

PARENTS = (-1, 0, 1, 2, 3, 0, 5, 6, 7, 0, 9, 10, 11, 0, 13, 14, 15, 0, 17, 18, 19)
"""The bone that each bone hangs on: five fingers of four bones at a wrist."""


def turns(xp: Any, angles: Any) -> Any:
    """The matrices of three angles each, around the axes in turn."""
    (c1, c2, c3), (s1, s2, s3) = ([f(angles[:, i]) for i in range(3)] for f in (xp.cos, xp.sin))
    rows = [
        c2 * c3, s1 * s2 * c3 - c1 * s3, c1 * s2 * c3 + s1 * s3,
        c2 * s3, s1 * s2 * s3 + c1 * c3, c1 * s2 * s3 - s1 * c3,
        -s2, s1 * c2, c1 * c2,
    ]  # fmt: skip
    return xp.reshape(xp.stack(rows, axis=1), (angles.shape[0], 3, 3))


def hand(xp: Any, angles: Any, scale: Any, shift: Any, offsets: Any, vertices: Any, weights: Any, points: Any) -> Any:
    """Half the squared distances of points from the vertices of a skin that follows turned bones."""
    own = turns(xp, angles)
    matrices, places = [], []
    for bone, parent in enumerate(PARENTS):
        if parent < 0:
            matrices.append(own[bone])
            places.append(offsets[bone])
        else:
            matrices.append(xp.matmul(matrices[parent], own[bone]))
            places.append(places[parent] + xp.matmul(matrices[parent], offsets[bone]))
    moved = xp.einsum("bij,bvj->bvi", xp.stack(matrices, axis=0), vertices) + xp.stack(places, axis=0)[:, None, :]
    skin = xp.einsum("bv,bvi->vi", weights, moved) * scale + shift
    errors = points - skin
    return 0.5 * xp.sum(errors * errors)


def hand_data() -> tuple[list[Values], list[Values]]:
    """21 bones, 500 vertices, each with a point."""
    rng = np.random.default_rng(3)
    bones, count = len(PARENTS), 500
    weights = rng.uniform(size=(bones, count)) ** 8
    parameters = [0.3 * rng.normal(size=(bones, 3)), rng.uniform(0.9, 1.1, 3), rng.normal(size=3)]
    given = [
        rng.normal(size=(bones, 3)), rng.normal(size=(bones, count, 3)), weights / weights.sum(axis=0),
        rng.normal(size=(count, 3)),
    ]  # fmt: skip
    return parameters, given


PROBLEMS: dict[str, tuple[Objective, Callable[[], tuple[list[Values], list[Values]]]]] = {
    "GMM": (gmm, gmm_data),
    "BA": (bundle, bundle_data),
    "LSTM": (lstm, lstm_data),
    "Hand": (hand, hand_data),
}

# --- in every library ------------------------------------------------------------------------------------------------


def _namespace(module: Any, **more: Any) -> Any:
    names = (
        "cos", "einsum", "exp", "log", "matmul", "reshape", "sin", "sqrt", "stack", "sum", "tanh",
    )  # fmt: skip
    return types.SimpleNamespace(**{name: getattr(module, name) for name in names}, **more)


def unigrad_namespace() -> Any:
    """unigrad's functions under the names that the objectives use."""
    return _namespace(ug, logsumexp=ug.logsumexp, sigmoid=ug.nn.sigmoid)


def unigrad_gradient(backend: str, objective: Objective, parameters: list[Values], given: list[Values]) -> Program:
    """By recording, on one backend."""
    namespace, xp = ug.namespace(backend), unigrad_namespace()
    leaves = [namespace.asarray(values) for values in parameters]
    constants = [values if values.dtype.kind == "i" else namespace.asarray(values) for values in given]
    for leaf in leaves:
        leaf.attach_grad()

    def program() -> Any:
        with ug.record():
            y = objective(xp, *leaves, *constants)
        y.backward()
        return [leaf.grad.numpy() for leaf in leaves]

    return program


def torch_gradient(objective: Objective, parameters: list[Values], given: list[Values]) -> Program:
    """PyTorch, eager."""
    import torch

    torch.set_num_threads(1)
    xp = _namespace(torch, logsumexp=torch.logsumexp, sigmoid=torch.sigmoid)
    leaves = [torch.tensor(values, requires_grad=True) for values in parameters]
    constants = [torch.tensor(values) for values in given]

    def program() -> Any:
        for leaf in leaves:
            leaf.grad = None
        objective(xp, *leaves, *constants).backward()
        return [leaf.grad.numpy() for leaf in leaves]

    return program


def hips_gradient(objective: Objective, parameters: list[Values], given: list[Values]) -> Program:
    """HIPS autograd."""
    import autograd
    import autograd.numpy as anp
    from autograd.scipy.special import expit, logsumexp

    xp = _namespace(anp, logsumexp=logsumexp, sigmoid=expit)
    numbers = tuple(range(len(parameters)))
    gradient = autograd.grad(lambda *leaves: objective(xp, *leaves, *given), numbers)
    return lambda: gradient(*parameters)


def compiled_gradient(objective: Objective, parameters: list[Values], given: list[Values], through: bool) -> Program:
    """``jax.jit``, of JAX's own program and gradient or, ``through`` unigrad, of unigrad's."""
    import jax
    import jax.numpy as jnp
    from jax.scipy.special import logsumexp

    numbers = tuple(range(len(parameters)))
    if through:
        xp = unigrad_namespace()
        gradient = ug.grad(lambda *leaves: objective(xp, *leaves, *given), argnums=numbers)
    else:
        xp = _namespace(jnp, logsumexp=logsumexp, sigmoid=jax.nn.sigmoid)
        gradient = jax.grad(lambda *leaves: objective(xp, *leaves, *given), argnums=numbers)
    run = jax.jit(gradient)
    leaves = [jnp.asarray(values) for values in parameters]
    return lambda: [np.asarray(found) for found in run(*leaves)]


def adbench_rows() -> Iterator[Row]:
    """Gradients that agree to 8 digits, and their times."""
    import jax

    for name, (objective, data) in PROBLEMS.items():
        problem = (objective, *data())
        with jax.enable_x64(True):
            programs = {
                "PyTorch through unigrad": unigrad_gradient("torch", *problem),
                "PyTorch": torch_gradient(*problem),
                "native engine": unigrad_gradient("numpy", *problem),
                "HIPS autograd": hips_gradient(*problem),
                "jax.jit of unigrad": compiled_gradient(*problem, through=True),
                "jax.jit of JAX": compiled_gradient(*problem, through=False),
            }
            found = {side: program() for side, program in programs.items()}
            for side, gradients in found.items():
                for gradient, expected in zip(gradients, found["jax.jit of JAX"], strict=True):
                    size = np.abs(expected).max()
                    np.testing.assert_allclose(
                        gradient, expected, rtol=1e-8, atol=1e-8 * size, err_msg=f"{name}: {side}"
                    )
            best = {}
            sides = list(programs)
            for pair in zip(sides[::2], sides[1::2], strict=True):
                best |= fastest({side: programs[side] for side in pair}, 4.0)
        limits = (1.15, 0.6, 1.03)
        for side, other, limit in zip(sides[::2], sides[1::2], limits, strict=True):
            yield Row(f"{side} / {other}, ADBench's {name}", best[side] / best[other], limit)
