#!/usr/bin/env bash
# optax 0.2.8: safe_softmax_cross_entropy exists for logits of -inf, where the plain one is NaN. Its value is 0 and reverse mode agrees, but forward mode answers NaN for every direction, the finite logit's too: the rule
# of its custom JVP multiplies the constant label's tangent, 0, by the logarithm of the probability, -inf. The plain loss, NaN by value, has the derivative 0 in both modes.
# https://github.com/google-deepmind/optax/pull/1762
# Seen for the logits [0, -inf] and the label [1, 0]: safe value 0, reverse [0, 0], forward [nan, nan]; plain value nan, reverse and forward [0, 0]. Right by the safe loss: 0 in both.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/env"
"$work/env/bin/pip" install --quiet optax==0.2.8 jax==0.10.2 numpy==2.4.6
"$work/env/bin/python" -W ignore - <<'PROGRAM'
import jax
import jax.numpy as jnp
import numpy as np
import optax

logits, label = jnp.array([0.0, -jnp.inf]), jnp.array([1.0, 0.0])
seen = {}
for loss in (optax.losses.safe_softmax_cross_entropy, optax.losses.softmax_cross_entropy):
    for of in (lambda f: f, jax.jacrev, jax.jacfwd):
        answer = of(lambda x, loss=loss: loss(x, label))(logits)
        seen.setdefault(loss.__name__, []).append(np.asarray(answer).tolist())
print(seen)
nan = np.nan
for name, answers in {
    "safe_softmax_cross_entropy": [0, [0, 0], [nan, nan]],
    "softmax_cross_entropy": [nan, [0, 0], [0, 0]],
}.items():
    for answer, expected in zip(seen[name], answers, strict=True):
        np.testing.assert_array_equal(answer, expected)
PROGRAM
echo "as described"
