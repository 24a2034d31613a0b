"""``ug.exercises``: right answers pass, and each kind of wrong answer gets its own feedback, on every backend."""

import subprocess
import sys

import numpy as np
import pytest

import unigrad as ug

BACKENDS = ["numpy", "torch", "tensorflow", "mxnet", "jax"]


def _values(exercise, function):
    return np.asarray(function(*[np.asarray(array, np.float64) for array in exercise.at]), np.float32)


def _as_answer(exercise, function):
    """The answer whose measured numbers are those of ``function``, on the current backend."""
    numbers = _values(exercise, function)
    if exercise.kind == "values":
        return ug.asarray(numbers)
    if exercise.kind == "function":
        return lambda *args: ug.asarray(numbers)

    @ug.custom_gradient
    def ruled(x):
        return ug.asarray(_values(exercise, exercise.value)), lambda g: g * ug.asarray(numbers)

    return ruled


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", list(ug.exercises))
def test_right_answers_pass_and_every_mistake_has_its_feedback(name, backend):
    exercise = ug.exercises[name]
    with ug.use_backend(backend):
        assert exercise.check(_as_answer(exercise, exercise.answer))
        for text, mistake in exercise.mistakes.items():
            feedback = exercise.check(_as_answer(exercise, mistake))
            assert repr(feedback).startswith(f"not yet: {text}"), (text, feedback)
        right = exercise.answer
        for text, wrong in {
            "the wrong sign everywhere": lambda *args: -np.asarray(right(*args)),
            "off by the constant factor 1.5": lambda *args: 1.5 * np.asarray(right(*args)),
            "some values are wrong": lambda *args: (
                np.asarray(right(*args)) + np.arange(np.size(right(*args))).reshape(np.shape(right(*args))) ** 2 * 7
            ),
            "not finite": lambda *args: np.asarray(right(*args)) * np.nan,
        }.items():
            if text.startswith("some") and np.size(_values(exercise, right)) < 2:
                continue  # one number that is wrong is always off by a factor
            feedback = exercise.check(_as_answer(exercise, wrong))
            assert repr(feedback).startswith(f"not yet: {text}"), (text, feedback)


@pytest.mark.parametrize("backend", BACKENDS)
def test_answers_that_a_student_writes(backend):
    exercises = ug.exercises
    with ug.use_backend(backend):
        x = ug.arange(4.0)
        x.attach_grad()
        with ug.record():
            y = 2 * ug.dot(x, x)
        y.backward()
        assert exercises["first_gradient"].check(x.grad)
        assert exercises["sine_curve"].check(ug.grad(lambda x: ug.sin(x).sum()))
        assert exercises["relu_tie"].check(ug.grad(lambda x: ug.nn.relu(x).sum())(ug.asarray([-1.0, 0.0, 2.0])))
        tied = ug.grad(lambda x: ug.maximum(x, ug.ones_like(x)).sum())(ug.asarray([0.0, 1.0, 2.0]))
        assert exercises["maximum_tie"].check(tied)
        assert exercises["matmul_vjp_left"].check(lambda a, b, g: g @ b.T)
        swapped = exercises["matmul_vjp_left"].check(lambda a, b, g: b @ g.T)
        assert swapped.text.startswith("transposed: ")
        assert swapped.text.endswith("; the shape is (3, 2) and should be (2, 3)")
        unsummed = exercises["broadcast"].check([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
        assert unsummed.text.startswith("forgot to sum over axis 0")
        assert "wrong shape" in exercises["broadcast"].check(np.ones((2, 2))).text
        column = exercises["first_gradient"].check(ug.asarray([[0.0], [4.0], [8.0], [12.0]]))
        assert column.text == "the values are right, the shape is not; the shape is (4, 1) and should be (4,)"
        assert exercises["jacobian"].check([[3.0, 0.0], [2.0, 6.0]]).text.startswith("transposed")
        signs = exercises["chain"].check(np.abs(_values(exercises["chain"], exercises["chain"].answer)))
        assert signs.text.startswith("the wrong sign in places; element [0] is 2.96998")

        def doubles(a):
            b = 2 * a
            while float(ug.linalg.norm(b)) < 1000:
                b = 2 * b
            return b.sum()

        assert exercises["control_flow"].check(ug.grad(doubles)(ug.asarray([3.0, 4.0])))
        rule = ug.custom_gradient(lambda x: (x * x, lambda g: 2 * x * g))
        assert exercises["custom_rule"].check(rule)
        assert "own value" in exercises["custom_rule"].check(lambda x: x).text


def test_lists_itself_and_refuses_what_is_no_answer():
    assert len(ug.exercises) >= 24
    assert "first_gradient" in repr(ug.exercises)
    assert ".check(answer)" in repr(ug.exercises[0])
    assert all(exercise.hint and exercise.statement for exercise in ug.exercises.values())
    assert max(map(len, repr(ug.exercises).splitlines())) <= 101
    with pytest.raises(ug.ArgumentError, match="did you mean chain"):
        ug.exercises["chian"]
    with pytest.raises(ug.ArgumentError, match="no 99"):
        ug.exercises[99]
    with pytest.raises(ug.ArgumentError, match="asks for a function"):
        ug.exercises["custom_rule"].check(3.0)
    with pytest.raises(ug.ArgumentError, match="real numbers"):
        ug.exercises["sum"].check("four")
    with pytest.raises(ug.ArgumentError, match="real numbers"):
        ug.exercises["power"].check(12 + 5j)


def test_is_imported_when_asked_for():
    source = "import sys, unigrad; assert not [name for name in sys.modules if name.startswith('unigrad.teaching')]"
    subprocess.run([sys.executable, "-c", source], check=True)
