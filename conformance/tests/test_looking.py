"""``ug.graph``: that a picture tells the truth on every backend, in every form, and of what cannot be drawn whole."""

from __future__ import annotations

import html.parser
import re
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from unigrad_conformance.runner import APART

import unigrad as ug
from unigrad.looking import drawing, layout
from unigrad.looking.parts import Parts, Vertex
from unigrad.looking.picture import Picture

# Not those that compute nothing by themselves: these tests look at values.
BACKENDS = [row.name for row in ug.available_backends() if row.installed and row.name not in APART]
HOSTILE = '<script>alert("1")</script>\n{x}|]);--> \\N & #35; `%%` \u202e'


@ug.custom_gradient
def softplus(x: Any) -> Any:
    e = ug.exp(x)
    return ug.log(1 + e), lambda g: g * (1 - 1 / (1 + e))


@ug.custom_gradient
def both(x: Any, y: Any) -> Any:
    return (x * y, x + y), lambda gs: (gs[0] * y + gs[1], gs[0] * x + gs[1])


def network(params: Any, x: Any) -> Any:
    hidden = ug.tanh(x @ params["w"] + params["b"])
    return (hidden * hidden).mean()


def of_two(x: Any, y: Any) -> Any:
    product, total = both(x, y)
    return (product * ug.sin(total)).sum()


PROGRAMS: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "scalars": (lambda x, y: x * y + ug.sin(x) * x * x, (2.0, 3.0)),
    "broadcast": (lambda x, y: (x / y - 2.0).sum(), ([[1.0, 2.0], [3.0, 4.0]], [2.0, 4.0])),
    "network": (network, ({"w": [[0.1, 0.2], [0.3, -0.4]], "b": [0.5, 0.0]}, [[1.0, 2.0]])),
    "own rule": (lambda x: softplus(x).sum(), ([1.0, 2.0],)),
    "several results": (of_two, ([1.0, 2.0], [0.5, 3.0])),
    "checkpoint": (lambda x: ug.checkpoint(lambda t: ug.tanh(t) * 2)(x).sum(), ([1.0, 2.0],)),
    "vmap": (lambda x: ug.vmap(lambda t: ug.sin(t) * t)(x).sum(), ([1.0, 2.0],)),
    "shapes": (lambda x: ug.concat([x[1:], x * 3]).reshape((5,)).max(), ([1.0, 2.0, 0.5],)),
    "where": (lambda x: ug.where(x > 1, x, 0.0).prod(), ([2.0, 3.0],)),
}


def arrays(values: Any) -> Any:
    if isinstance(values, dict):
        return {name: arrays(each) for name, each in values.items()}
    return ug.asarray(values, dtype=ug.float32)


def leaves_of(picture: Parts) -> list[Vertex]:
    return [vertex for vertex in picture.vertices if vertex.kind == "leaf"]


def named(picture: Parts, label: str) -> Vertex:
    return next(vertex for vertex in picture.vertices if vertex.label == label)


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("backend", BACKENDS)
def test_the_numbers_of_a_function_are_those_of_its_transforms(program: str, backend: str) -> None:
    f, given = PROGRAMS[program]
    with ug.use_backend(backend):
        args = tuple(map(arrays, given))
        picture = ug.graph(f, *args)
        output, pull = ug.vjp(f, *args)
        gradients = pull(output.ones_like())
        (head,) = [vertex for vertex in picture.vertices if vertex.is_head]
        np.testing.assert_allclose(head.value, output.numpy(), rtol=1e-6)
        expected = dict(zip(ug.tree_paths(args), ug.tree_leaves(gradients), strict=True))
        assert len(leaves_of(picture)) == len(expected)
        directions = ug.tree_leaves(args)
        for vertex, own, forward in zip(leaves_of(picture), _ordered(picture, expected), picture.forwards, strict=True):
            path, gradient = own
            np.testing.assert_allclose(vertex.cotangent, gradient.numpy(), rtol=1e-5, atol=1e-6)
            shares = [edge.share for edge in picture.edges if edge.source is vertex and edge.share is not None]
            np.testing.assert_allclose(sum(shares), gradient.numpy(), rtol=1e-5, atol=1e-6)
            place = list(expected).index(path)
            moves = [x.ones_like() if n == place else x.zeros_like() for n, x in enumerate(directions)]
            tangents = ug.tree_unflatten(ug.tree_flatten(args)[1], moves)
            pushed = ug.jvp(f, args, tangents)[1]
            np.testing.assert_allclose(forward.tangents[head], pushed.numpy(), rtol=1e-5, atol=1e-6)


def _ordered(picture: Parts, expected: dict[str, Any]) -> list[tuple[str, Any]]:
    """The gradients in the order of the leaves in the picture, by their names."""
    names = {"[0]": ("x", "params"), "[1]": ("y", "x")}
    found = []
    for vertex in leaves_of(picture):
        for path, gradient in expected.items():
            heads = names[path[:3]]
            if vertex.label in [head + path[3:] for head in heads] and vertex.shape == gradient.shape:
                found.append((path, gradient))
                break
    return found


@pytest.mark.parametrize("backend", BACKENDS)
def test_every_cotangent_is_what_arrives_and_every_derivative_that_of_its_operation(backend: str) -> None:
    with ug.use_backend(backend):
        picture = ug.graph(PROGRAMS["scalars"][0], 2.0, 3.0, names=["a", "b"])
    for vertex in picture.vertices:
        away = [edge for edge in picture.edges if edge.source is vertex]
        if away and vertex.cotangent is not None:
            np.testing.assert_allclose(vertex.cotangent, sum(edge.share for edge in away), rtol=1e-6)
        for edge in away:
            if not edge.is_cut:
                np.testing.assert_allclose(edge.share, edge.target.cotangent * edge.derivative, rtol=1e-6)
    assert [float(edge.derivative) for edge in picture.edges if edge.target.operation == "sin"] == pytest.approx(
        [np.cos(2.0)]
    )


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_was_recorded_is_drawn_with_the_names_of_variables_and_stays_as_it_is(backend: str) -> None:
    with ug.use_backend(backend):
        x, weights = ug.asarray([1.0, 2.0]), {"w": ug.asarray([3.0, -1.0])}
        x.attach_grad()
        weights["w"].attach_grad()
        with ug.record():
            product = x * weights["w"]
            total = ug.tanh(product).sum()
        picture = ug.graph(total)
        assert [vertex.label for vertex in leaves_of(picture)] == ["x", "weights['w']"]
        assert named(picture, "product").value.tolist() == [3.0, -2.0]
        assert named(picture, "total").is_head
        total.backward()
        np.testing.assert_allclose(named(picture, "x").cotangent, x.grad.numpy(), rtol=1e-5)
        np.testing.assert_allclose(named(picture, "weights['w']").cotangent, weights["w"].grad.numpy(), rtol=1e-5)
        (after,) = ug.graph(total).vertices
        assert after.kind == "released"
        assert "retain_graph=True" in str(ug.graph(total))


def test_of_a_graph_that_was_released_in_part_the_rest_is_drawn_with_the_gradients_that_were_left() -> None:
    x, w = ug.asarray(2.0), ug.asarray(5.0)
    x.attach_grad()
    w.attach_grad()
    with ug.record():
        shared = x * x
        first, second = shared * 3, shared * w
    first.backward()
    picture = ug.graph(second, names={"last": second})
    assert named(picture, "shared").kind == "released"
    assert named(picture, "last").is_head
    assert named(picture, "w").cotangent == 0
    assert "what is left" in str(picture)


def test_several_heads_a_crossing_and_a_detached_place() -> None:
    if "torch" not in BACKENDS:
        pytest.skip("a crossing needs a second framework")
    x = ug.asarray([1.0, 2.0])
    x.attach_grad()
    with ug.record():
        there = ug.tanh(x).to_backend("torch")
        head, other = (there * there).sum(), there.sum()
    picture = ug.graph([head, other])
    assert sum(vertex.is_head for vertex in picture.vertices) == 2
    assert "to_backend from numpy to torch" in named(picture, "there").operation
    assert {vertex.backend for vertex in picture.vertices} == {"numpy", "torch"}
    ug.backward([head, other])
    np.testing.assert_allclose(named(picture, "x").cotangent, x.grad.numpy(), rtol=1e-6)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_detached_place_is_shown_where_it_is(backend: str) -> None:
    def f(x: Any) -> Any:
        square = x * x
        still = square.detach()
        return (square * still).sum()

    with ug.use_backend(backend):
        picture = ug.graph(f, ug.asarray([1.0, 2.0]))
    (cut,) = [vertex for vertex in picture.vertices if vertex.kind == "detached"]
    assert cut.label == "still"
    assert [edge.source.label for edge in picture.edges if edge.target is cut] == ["square"]
    assert leaves_of(picture)[0].cotangent.tolist() == [2.0, 16.0]


def test_a_function_keeps_its_arguments_as_they_were() -> None:
    x = ug.asarray([1.0, 2.0])
    x.attach_grad()
    before = sys.getprofile()
    with pytest.raises(ZeroDivisionError):
        ug.graph(lambda x: 1 / 0, x)
    ug.graph(lambda x: (x * x).sum(), x)
    assert sys.getprofile() is before
    assert x.grad.tolist() == [0.0, 0.0]
    assert not ug.is_recording()


def test_inside_a_recording_a_function_is_drawn_by_itself() -> None:
    x = ug.asarray([1.0, 2.0])
    x.attach_grad()
    with ug.record():
        outside = ug.exp(x)
        picture = ug.graph(lambda t: ug.sin(t).sum(), outside)
    assert [vertex.label for vertex in picture.vertices] == ["t", "v2", "v3"]
    assert leaves_of(picture)[0].value.tolist() == outside.tolist()


def test_a_gradient_inside_is_opened_and_a_compiled_function_drawn() -> None:
    def slope(x: Any) -> Any:
        return ug.grad(lambda t: (t * t * t).sum())(x).sum()

    picture = ug.graph(slope, ug.asarray([1.0, 2.0]))
    assert leaves_of(picture)[0].cotangent.tolist() == [6.0, 12.0]
    assert [vertex.operation for vertex in picture.vertices].count("multiply") > 2
    picture = ug.graph(ug.compile(lambda x: ug.tanh(x * x).sum()), ug.asarray([1.0, 2.0]))
    np.testing.assert_allclose(
        leaves_of(picture)[0].cotangent,
        ug.grad(lambda x: ug.tanh(x * x).sum())(ug.asarray([1.0, 2.0])).numpy(),
        rtol=1e-6,
    )


# --- large ones --------------------------------------------------------------------------------------------------


def chain(length: int) -> ug.Tensor:
    x = ug.asarray([0.1, 0.2])
    x.attach_grad()
    with ug.record():
        y = x
        for _ in range(length):
            y = ug.tanh(y * x + x)
    return y


def test_repeats_are_folded_and_the_picture_says_so() -> None:
    y = chain(33_333)
    start = time.perf_counter()
    picture = ug.graph(y)
    assert time.perf_counter() - start < 60
    (fold,) = [vertex for vertex in picture.vertices if vertex.kind == "folded"]
    assert fold.operation == "33331 more times (multiply, add, tanh): 99993 nodes"
    assert "99993 of 100000 nodes are folded into 1; most=100000 draws all" in str(picture)
    y.backward()
    head = next(vertex for vertex in picture.vertices if vertex.is_head)
    assert head.cotangent.tolist() == [1.0, 1.0]


def test_what_does_not_repeat_is_folded_in_the_middle() -> None:
    rng = np.random.default_rng(0)

    def f(x: Any) -> Any:
        for pick in rng.integers(0, 4, 400):
            x = (ug.sin, ug.tanh, ug.cos, ug.exp)[pick](x) * 0.5
        return x

    picture = ug.graph(f, ug.asarray(0.3), most=30)
    assert len(picture.vertices) < 60
    assert any(vertex.kind == "folded" for vertex in picture.vertices)
    np.testing.assert_allclose(
        ug.graph(lambda x: ug.tanh(ug.tanh(x)), 0.3, most=4).vertices[0].cotangent,
        ug.grad(lambda x: ug.tanh(ug.tanh(x)))(0.3),
    )


def layer(x: Any, w: Any) -> Any:
    return ug.tanh(x @ w)


@pytest.mark.parametrize("backend", BACKENDS)
def test_calls_of_a_function_are_one_box_each(backend: str) -> None:
    with ug.use_backend(backend):
        x, w = ug.ones((1, 2)), ug.ones((2, 2))
        picture = ug.graph(lambda x, w: layer(layer(x, w), w).sum(), x, w, fold=layer)
    assert [v.operation for v in picture.vertices if v.kind == "folded"] == ["layer: 2 nodes"] * 2
    assert "fold=" in str(picture)


def test_three_hundred_nodes_are_drawn_in_a_second() -> None:
    y = chain(100)
    seconds = []
    for _ in range(3):
        start = time.process_time()
        picture = ug.graph(y, most=400)
        picture.svg()
        seconds.append(time.process_time() - start)
    assert len(picture.vertices) == 301
    assert min(seconds) < 1


# --- forms --------------------------------------------------------------------------------------------------------


def hostile() -> Picture:
    x = ug.asarray([1.0, 2.0])
    x.attach_grad()
    with ug.record():
        y = ug.tanh(x).sum()
    return ug.graph(y, names={HOSTILE: x, '"; alert(1); "': y})


def test_text_is_readable() -> None:
    text = str(ug.graph(lambda x, w: ug.tanh(x * w).sum(), ug.asarray([1.0, 2.0]), ug.asarray([0.5, 0.0])))
    assert "* x: leaf" in text
    assert re.search(r"v3 = multiply\(x, w\) +value \[0.5, 0\]; float32 \(2,\); cotangent .* d/d x = \[0.5, 0\]", text)
    assert "\n" not in str(hostile()).splitlines()[0]


def test_what_users_name_things_is_escaped_in_svg() -> None:
    tree = ET.fromstring(hostile().svg())
    assert not [element for element in tree.iter() if "script" in element.tag]
    assert any('<script>alert("1")</script>' in "".join(element.itertext()) for element in tree.iter())


def test_what_users_name_things_is_escaped_in_html() -> None:
    page = hostile().html()
    parser = html.parser.HTMLParser()
    scripts: list[Any] = []
    parser.handle_starttag = lambda tag, attributes: scripts.append(attributes) if tag == "script" else None  # type: ignore[method-assign]
    parser.feed(page)
    assert len(scripts) == 2
    assert "<script>alert" not in page
    assert not re.search(r"(src|href)=", page), "the page needs nothing else"


def test_what_users_name_things_is_escaped_in_dot() -> None:
    for line in hostile().dot().splitlines():
        unquoted = re.sub(r'"(\\.|[^"\\])*"', "", line)
        assert '"' not in unquoted
        assert "script" not in unquoted


def test_what_users_name_things_is_escaped_in_mermaid() -> None:
    for line in hostile().mermaid().splitlines():
        label = re.search(r'"([^"]*)"', line)
        assert line.count('"') in (0, 2)
        if label:
            assert not re.search(r"[<>{}\[\]|`\\]", label.group(1).replace("<br/>", ""))


def test_boxes_do_not_overlap_and_hold_their_text() -> None:
    f, given = PROGRAMS["network"]
    picture = ug.graph(f, *map(arrays, given))
    tree = ET.fromstring(picture.svg())
    space = "{http://www.w3.org/2000/svg}"
    width, height = map(float, tree.attrib["viewBox"].split()[2:])
    boxes = []
    for group in tree.iter(f"{space}g"):
        if group.attrib.get("id", "").startswith("box"):
            frame = group.find(f"{space}rect")
            x, y, w, h = (float(frame.attrib[name]) for name in ("x", "y", "width", "height"))
            assert x >= 0
            assert y >= 0
            assert x + w <= width
            assert y + h <= height
            for line in group.iter(f"{space}text"):
                assert float(line.attrib["x"]) + 7.22 * len(line.text) <= x + w
                assert y < float(line.attrib["y"]) < y + h
            boxes.append((x, y, w, h))
    assert len(boxes) == len(picture.vertices)
    for n, (x, y, w, h) in enumerate(boxes):
        for a, b, c, d in boxes[:n]:
            assert x + w <= a or a + c <= x or y + h <= b or b + d <= y


def test_graphviz_lays_out_where_it_is() -> None:
    if not shutil.which("dot"):
        pytest.skip("Graphviz's dot is not installed")
    found = layout.laid_out([(50.0, 20.0)] * 3, [(0, 1), (0, 2), (1, 2)], [0, 1, 2])
    assert len(found.centres) == len(found.curves) == 3
    assert found.centres[0][1] < found.centres[1][1] < found.centres[2][1]


def test_a_picture_is_saved_in_the_form_that_the_name_ends_with(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = ug.graph(lambda x: ug.sin(x), 1.0)
    for ending, start in {"svg": "<svg", "html": "<!doctype", "dot": "digraph", "mmd": "flowchart", "txt": "*"}.items():
        picture.save(tmp_path / f"a.{ending}")
        assert (tmp_path / f"a.{ending}").read_text(encoding="utf-8").startswith(start)
    with pytest.raises(ug.ArgumentError, match="ends in none of"):
        picture.save(tmp_path / "a.jpg")
    bundle = picture._repr_mimebundle_()
    assert bundle["image/svg+xml"] == picture.svg()
    assert bundle["text/vnd.mermaid"] == picture.mermaid()
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    with pytest.raises(ug.BackendError, match=r"unigrad\[teach\]"):
        picture.save(tmp_path / "a.png")


def test_png(tmp_path: Any) -> None:
    pytest.importorskip("resvg_py", reason="a PNG needs the extra teach")
    drawn = drawing.png(ug.graph(lambda x: ug.sin(x), 1.0).svg())
    assert drawn.startswith(b"\x89PNG")


def test_a_notebook_shows_it() -> None:
    formatters = pytest.importorskip("IPython.core.formatters")
    data, _ = formatters.DisplayFormatter().format(ug.graph(lambda x: ug.sin(x), 1.0))
    assert data["image/svg+xml"].startswith("<svg")


# --- what cannot be drawn -----------------------------------------------------------------------------------------


def test_what_was_not_recorded_says_how_to_record_it() -> None:
    with pytest.raises(ug.NotRecordedError, match=r"attach_grad.*record.*ug\.graph\(f, x\)"):
        ug.graph(ug.ones(3) * 2)
    with pytest.raises(ug.NotRecordedError, match="depends on its floating arguments"):
        ug.graph(lambda x: x > 1, 2.0)


@pytest.mark.parametrize(
    "call",
    [
        lambda: ug.graph(3),
        lambda: ug.graph([]),
        lambda: ug.graph(lambda x: x * x, 1.0, names=["a", "b"]),
        lambda: ug.graph(lambda x: x * x, 1.0, names={"x": 1.0}),
        lambda: ug.graph(lambda x: x * x, 1.0, fold=[3]),
        lambda: ug.graph(lambda x: x * x, 1.0, most=0),
        lambda: ug.graph(chain(2), fold=layer),
        lambda: ug.graph(chain(2), names={"x": 3}),
    ],
)
def test_wrong_arguments(call: Callable[[], Any]) -> None:
    with pytest.raises(ug.ArgumentError):
        call()


def test_where_a_transform_or_a_framework_is_at_work() -> None:
    with pytest.raises(ug.UnsupportedError, match="vmap"):
        ug.vmap(lambda x: ug.graph(lambda t: t * t, x))(ug.ones(2))
    if "jax" in BACKENDS:
        import jax

        with pytest.raises(ug.UnsupportedError, match="traces a program"):
            jax.jit(lambda x: ug.graph(lambda t: t * t, ug.asarray(x)))(jax.numpy.ones(2))


def test_importing_unigrad_imports_nothing_of_it() -> None:
    source = "import sys, unigrad; assert not [name for name in sys.modules if name.startswith('unigrad.looking')]"
    subprocess.run([sys.executable, "-c", source], check=True, timeout=120)
