"use strict";
// Shows the steps that the page was written with. What users named is only ever set as text.
const passes = JSON.parse(document.getElementById("told").textContent);
const by = (id) => document.getElementById(id);
let pass = 0;
let step = 0;

// The lines of a box that are set as its cotangent or tangent arrives.
const arriving = new Map();
for (const box of document.querySelectorAll(".drawing g[id^=box]")) {
  arriving.set(Number(box.id.slice(3)), [...box.querySelectorAll("text.cotangent")]);
}

function show() {
  const current = passes[pass];
  const steps = current ? current.steps : [];
  const texts = new Map();
  const made = new Set();
  for (const each of steps.slice(0, step + 1)) {
    made.add(each.at);
    for (const [box, lines] of Object.entries(each.arrived)) texts.set(Number(box), lines);
  }
  const now = steps[step];
  for (const [box, places] of arriving) {
    const lines = texts.get(box) || [];
    places.forEach((place, n) => { place.textContent = lines[n] || ""; });
    const row = by("row" + box);
    if (!row) continue;
    row.textContent = lines.map((line) => line.trim()).join(" ").replace(/^(co)?tangent /, "");
    row.parentElement.classList.toggle("now", Boolean(now) && now.at === box);
    const shape = by("box" + box);
    shape.classList.toggle("now", Boolean(now) && now.at === box);
    const mark = shape.querySelector(".mark");
    mark.textContent = now && now.at === box ? "▶" : made.has(box) ? "✓" : "";
  }
  document.querySelectorAll(".drawing path.edge").forEach((edge) => {
    edge.classList.toggle("now", Boolean(now) && now.edges.includes(Number(edge.id.slice(4))));
  });
  by("title").textContent = now ? now.title : "Nothing to step through";
  by("lines").replaceChildren(...(now ? now.lines : []).map((line) => {
    const made = document.createElement("p");
    made.textContent = line;
    return made;
  }));
  by("count").textContent = now ? `step ${step + 1} of ${steps.length}` : "";
  by("word").textContent = current ? current.word : "";
  by("mode").value = String(pass);
  by("first").disabled = by("back").disabled = step === 0;
  by("last").disabled = by("next").disabled = step >= steps.length - 1;
  if (now) {
    const frame = document.querySelector(".drawing");
    const inside = frame.getBoundingClientRect();
    const box = by("box" + now.at).getBoundingClientRect();
    frame.scrollTop += box.top + box.height / 2 - inside.top - inside.height / 2;
    frame.scrollLeft += box.left + box.width / 2 - inside.left - inside.width / 2;
  }
}

function go(to) {
  const count = passes[pass] ? passes[pass].steps.length : 0;
  step = Math.max(0, Math.min(count - 1, to));
  show();
}

function choose(which) {
  pass = which;
  go(0);
}

passes.forEach((each, n) => {
  const option = document.createElement("option");
  option.value = String(n);
  option.textContent = each.name;
  by("mode").append(option);
});
for (const box of document.querySelectorAll(".drawing g[id^=box]")) {
  const frame = box.querySelector("rect:last-of-type");
  const mark = document.createElementNS("http://www.w3.org/2000/svg", "text");
  mark.setAttribute("class", "mark");
  mark.setAttribute("x", Number(frame.getAttribute("x")) + Number(frame.getAttribute("width")) + 3);
  mark.setAttribute("y", Number(frame.getAttribute("y")) + 12);
  box.append(mark);
}
by("mode").addEventListener("change", () => choose(Number(by("mode").value)));
by("first").addEventListener("click", () => go(0));
by("back").addEventListener("click", () => go(step - 1));
by("next").addEventListener("click", () => go(step + 1));
by("last").addEventListener("click", () => go(Infinity));
by("all").addEventListener("click", () => by("passes").classList.toggle("open"));
document.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  const typing = ["SELECT", "BUTTON"].includes(event.target.tagName);
  const moves = { ArrowRight: step + 1, ArrowLeft: step - 1, Home: 0, End: Infinity };
  if (event.key in moves && event.target.tagName !== "SELECT") go(moves[event.key]);
  else if (event.key === " " && !typing) go(step + 1);
  else if (event.key === "m" && passes.length) choose((pass + 1) % passes.length);
  else return;
  event.preventDefault();
});
show();
