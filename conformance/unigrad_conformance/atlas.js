"use strict";
// Hides the points that were not asked for. Without it the page shows them all.
const by = (id) => document.getElementById(id);
const points = [...document.querySelectorAll("article")];
const texts = new Map(points.map((point) => [point, point.textContent.toLowerCase()]));
const choices = ["text", "family", "rule", "answers"].map(by);

function filter() {
  const [words, family, rule, answers] = choices.map((choice) => choice.value);
  const wanted = words.toLowerCase().split(/\s+/);
  for (const point of points) {
    const { family: its, rules, answers: marks } = point.dataset;
    const kept = (!family || its === family) && (!rule || rules.split(" ").includes(rule))
      && (!answers || marks.split(" ").includes(answers)) && wanted.every((word) => texts.get(point).includes(word));
    point.hidden = !kept;
  }
  for (const section of document.querySelectorAll("section")) {
    section.hidden = !section.querySelector("article:not([hidden])");
  }
  by("left").textContent = `${points.filter((point) => !point.hidden).length} of ${points.length} points`;
}

// Who comes by a link to a point sees it, whatever was chosen before.
function follow() {
  const point = by(decodeURIComponent(location.hash.slice(1)));
  if (!point) return;
  if (point.hidden) {
    for (const choice of choices) choice.value = "";
    filter();
  }
  point.scrollIntoView();
}

for (const choice of choices) choice.addEventListener("input", filter);
document.querySelector("form").addEventListener("submit", (event) => event.preventDefault());
addEventListener("hashchange", follow);
filter();
follow();
