"""The exercises, from the first gradient to a rule of one's own: one declaration each."""

from __future__ import annotations

import numpy as np

from unigrad.teaching.exercise import Exercise, Exercises

_FIRST_TERM = "only the first term of the product rule"
_VECTOR = ([1.0, -2.0, 0.5],)
_MATRICES = ([[1.0, 2.0, -1.0], [0.5, 0.0, 3.0]], [[1.0, -1.0], [2.0, 0.5], [0.0, 1.5]], [[1.0, 2.0], [-1.0, 3.0]])
_CHAIN = "the inner derivative is missing"

exercises = Exercises(
    [
        Exercise(
            "first_gradient",
            "y = 2 * dot(x, x) at x = [0, 1, 2, 3]. What is the gradient of y with respect to x?",
            "Attach a gradient, record y, call y.backward() and read x.grad.",
            ([0.0, 1.0, 2.0, 3.0],),
            lambda x: 4 * x,
            {"x appears twice in the product": lambda x: 2 * x},
        ),
        Exercise(
            "sum",
            "y = sum(x) for x of shape (4,). What is its gradient?",
            "Moving any element by h moves y by h.",
            ([0.0, 1.0, 2.0, 3.0],),
            np.ones_like,
            {"that is the value of y": np.sum},
        ),
        Exercise(
            "mean",
            "y = mean(x) for x of shape (4,). What is its gradient?",
            "A mean is a sum over a count.",
            ([0.0, 1.0, 2.0, 3.0],),
            lambda x: np.ones_like(x) / 4,
            {"that is the gradient of the sum": np.ones_like},
        ),
        Exercise(
            "power",
            "The derivative of x ** 3 at x = 2.",
            "Bring the exponent down.",
            (2.0,),
            lambda x: 3 * x**2,
            {"the exponent did not come down as a factor": lambda x: x**2},
        ),
        Exercise(
            "chain",
            "The derivative of sin(3 * x) at [1, -2, 0.5].",
            "Outer derivative times inner derivative.",
            _VECTOR,
            lambda x: 3 * np.cos(3 * x),
            {_CHAIN: lambda x: np.cos(3 * x)},
        ),
        Exercise(
            "product",
            "The derivative of x * exp(x) at [1, -2, 0.5].",
            "Each factor is differentiated in turn.",
            _VECTOR,
            lambda x: np.exp(x) * (1 + x),
            {_FIRST_TERM: np.exp},
        ),
        Exercise(
            "quotient",
            "The derivative of sin(x) / x at [1, -2, 0.5].",
            "It is the product sin(x) * x ** -1.",
            _VECTOR,
            lambda x: np.cos(x) / x - np.sin(x) / x**2,
            {_FIRST_TERM: lambda x: np.cos(x) / x},
        ),
        Exercise(
            "sine_curve",
            "Write df(x), the derivative of sin, without cos: let automatic differentiation find it.",
            "ug.grad wants one number; the sum of sin(x) has one, and its gradient is elementwise.",
            ([-3.0, -1.0, 0.0, 2.0],),
            np.cos,
            {"that is sin itself": np.sin},
            "function",
        ),
        Exercise(
            "forward_trace",
            "f(x) = log(x ** 2) * sin(x) + 1 / x at x = 2, in steps: a = x ** 2, b = log(a), c = sin(x), d = b * c,"
            " e = 1 / x, f = d + e. Go forward, with tangent 1 at x: what are the tangents [a, b, c, d, e, f]?",
            "Each tangent is the step's local derivative times the tangents of what it took.",
            (2.0,),
            lambda x: [
                2 * x,
                2 / x,
                np.cos(x),
                2 / x * np.sin(x) + np.log(x**2) * np.cos(x),
                -1 / x**2,
                2 / x * np.sin(x) + np.log(x**2) * np.cos(x) - 1 / x**2,
            ],
            {
                _FIRST_TERM: lambda x: [
                    2 * x,
                    2 / x,
                    np.cos(x),
                    2 / x * np.sin(x),
                    -1 / x**2,
                    2 / x * np.sin(x) - 1 / x**2,
                ]
            },
        ),
        Exercise(
            "reverse_trace",
            "The same f at x = 2, in the same steps. Go back, with cotangent 1 at f: what are the cotangents"
            " [d, e, c, b, a, x]?",
            "x is used three times: what arrives is added.",
            (2.0,),
            lambda x: [
                1,
                1,
                np.log(x**2),
                np.sin(x),
                np.sin(x) / x**2,
                2 / x * np.sin(x) + np.log(x**2) * np.cos(x) - 1 / x**2,
            ],
            {
                "x has what came through a alone; other paths lead to it": lambda x: [
                    1,
                    1,
                    np.log(x**2),
                    np.sin(x),
                    np.sin(x) / x**2,
                    2 / x * np.sin(x),
                ]
            },
        ),
        Exercise(
            "whole_chain",
            "The derivative of log(x ** 2) * sin(x) + 1 / x at [1, -2, 0.5].",
            "Use the two traces before.",
            _VECTOR,
            lambda x: 2 / x * np.sin(x) + np.log(x**2) * np.cos(x) - 1 / x**2,
            {_FIRST_TERM: lambda x: 2 / x * np.sin(x) - 1 / x**2},
        ),
        Exercise(
            "passes",
            "f takes 1000 numbers and returns 3. For its whole Jacobian: how many forward passes (one tangent each)"
            " and how many backward passes (one cotangent each)? Answer [forward, backward].",
            "A forward pass gives a column, a backward pass a row.",
            ([1000.0, 3.0],),
            lambda n: n,
            {"the other way round": lambda n: n[::-1]},
        ),
        Exercise(
            "second_cost",
            "A function of n = 5 numbers has one number as value. How many numbers are its gradient and its"
            " Hessian? Answer [gradient, Hessian]: it is why second derivatives cost more.",
            "The Hessian differentiates each element of the gradient by each of x.",
            (5.0,),
            lambda n: [n, n * n],
            {"the Hessian is no vector": lambda n: [n, n]},
        ),
        Exercise(
            "second_derivative",
            "The second derivative of x ** 3 at [1, -2, 0.5].",
            "Differentiate the gradient.",
            _VECTOR,
            lambda x: 6 * x,
            {"that is the first derivative": lambda x: 3 * x**2},
        ),
        Exercise(
            "two_backwards",
            "y = sum(x * x), x = [1, -2, 0.5] with grad_req 'add'. After y.backward(retain_graph=True) and"
            " then y.backward(), what is x.grad? (Without retain_graph the second one raises: the graph was freed.)",
            "'add' adds to the buffer.",
            _VECTOR,
            lambda x: 4 * x,
            {"the second pass was added to the first": lambda x: 2 * x},
        ),
        Exercise(
            "detach",
            "y = x * x, z = y.detach() * x. The gradient of sum(z) at [1, -2, 0.5].",
            "A detached y is a constant.",
            _VECTOR,
            lambda x: x**2,
            {"the gradient came through what is detached": lambda x: 3 * x**2},
        ),
        Exercise(
            "control_flow",
            "f doubles b = 2 * a until its norm is 1000 or more, and returns sum(b). Its gradient at the"
            " vector a = [3, 4]?",
            "On this path f is linear: which factor has a got?",
            ([3.0, 4.0],),
            lambda a: np.full(2, 256.0),
            {"that is b, the values": lambda a: 256.0 * a},
        ),
        Exercise(
            "relu_tie",
            "The gradient of sum(relu(x)) at x = [-1, 0, 2], as unigrad has it.",
            "At 0 the left side is taken.",
            ([-1.0, 0.0, 2.0],),
            lambda x: [0, 0, 1],
            {
                "the other tie convention: unigrad has 0 at 0": lambda x: [0, 1, 1],
                "the half-way tie convention: unigrad has 0 at 0": lambda x: [0, 0.5, 1],
            },
        ),
        Exercise(
            "maximum_tie",
            "The gradient of sum(maximum(x, 1)) with respect to x = [0, 1, 2], as unigrad has it.",
            "Two equal arguments share the cotangent.",
            ([0.0, 1.0, 2.0],),
            lambda x: [0, 0.5, 1],
            {
                "the other tie convention: equal arguments share": lambda x: [0, 1, 1],
                "the other tie convention, all to the second: equal arguments share": lambda x: [0, 0, 1],
            },
        ),
        Exercise(
            "broadcast",
            "y = sum(w * (m + b)), b of shape (2,) broadcast over m of shape (3, 2), w = [[1, 2], [3, 4], [5, 6]]."
            " The gradient with respect to b?",
            "Every row used the same b.",
            ([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]],),
            lambda w: w.sum(0),
            {"summed over the other axis": lambda w: w.sum(1)},
        ),
        Exercise(
            "jacobian",
            "The Jacobian of f(x) = [x0 * x1, x1 ** 2] at [2, 3].",
            "Row i holds the derivatives of element i.",
            ([2.0, 3.0],),
            lambda x: [[x[1], x[0]], [0, 2 * x[1]]],
            {_FIRST_TERM: lambda x: [[x[1], 0], [0, 2 * x[1]]]},
        ),
        Exercise(
            "softmax_vjp",
            "Write pull(p, g): the cotangent of x where p = softmax(x) and g is the cotangent of p.",
            "The Jacobian is diag(p) - outer(p, p).",
            ([0.2, 0.5, 0.3], [1.0, -1.0, 2.0]),
            lambda p, g: p * (g - np.sum(p * g)),
            {"only the diagonal: each p depends on every x": lambda p, g: p * g},
            "function",
        ),
        Exercise(
            "matmul_vjp_left",
            "Write pull(a, b, g): the cotangent of a where y = a @ b and g is the cotangent of y.",
            "It has the shape of a; only one product of g and b has.",
            _MATRICES,
            lambda a, b, g: g @ b.T,
            {},
            "function",
        ),
        Exercise(
            "matmul_vjp_right",
            "Write pull(a, b, g): the cotangent of b where y = a @ b and g is the cotangent of y.",
            "It has the shape of b; only one product of a and g has.",
            _MATRICES,
            lambda a, b, g: a.T @ g,
            {"the cotangent's rows and columns are swapped": lambda a, b, g: a.T @ g.T},
            "function",
        ),
        Exercise(
            "custom_rule",
            "Write square(x) with ug.custom_gradient and a rule of your own.",
            "Return the value and lambda g: ..., the cotangent of x.",
            _VECTOR,
            lambda x: 2 * x,
            {"the rule leaves out x": lambda x: 2 * np.ones_like(x)},
            "rule",
            np.square,
        ),
        Exercise(
            "straight_through",
            "Write a function that is sign(x) and whose derivative is taken to be 1 everywhere.",
            "The rule hands its cotangent on.",
            _VECTOR,
            np.ones_like,
            {"that is sign's own derivative": np.zeros_like},
            "rule",
            np.sign,
        ),
    ]
)
