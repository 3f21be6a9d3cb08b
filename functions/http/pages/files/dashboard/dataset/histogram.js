// Histograms with two handles, which say which part of the values is wanted.
import { fill, h } from "../parts/dom.js";
import { count, plural } from "../parts/format.js";

/**
 * A histogram of `counts` between `edges`. `write` says what a value is, and `changed` is called with the least and the
 * most wanted value, which are null where all are wanted. `step` is the smallest difference of two values.
 */
export function histogram(name, { edges, counts }, { write, step, changed }) {
  const all = counts.reduce((sum, number) => sum + number, 0);
  const title = name[0].toUpperCase() + name.slice(1);
  const last = counts.length;
  if (last < 2) {
    const value = last === 0 ? "–" : `${write(edges[0])} – ${write(edges[1])}`;
    return { element: h("div.histogram", h("div.line.between", h("strong", title), h("span.muted.small.number", value))), reset() {} };
  }
  const most = Math.max(...counts);
  const highest = counts.indexOf(most);
  const words = `${title} of ${plural(all, "image")}, from ${write(edges[0])} to ${write(edges[last])}; most have ${write(edges[highest])} to ${write(edges[highest + 1])}.`;
  const bins = counts.map((number) => {
    const bin = h("i");
    // a bar that is there can be seen, however low it is
    bin.style.setProperty("height", `${number > 0 ? Math.max(2, (100 * number) / most) : 0}%`);
    return bin;
  });
  const chart = h("div.bins", { role: "img", "aria-label": words, onclick: choose }, bins);
  const said = h("span.muted.small.number");
  const handle = (side, value) => h("input", { type: "range", min: 0, max: last, step: 1, value, "aria-label": `${side} ${name}`, oninput: draw, onchange: report });
  const [low, high] = [handle("Least", 0), handle("Most", last)];
  draw();
  return { element: h("div.histogram", h("div.line.between", h("strong", title), said), chart, h("div.range", low, high)), reset };

  function bounds() {
    const [one, other] = [Number(low.value), Number(high.value)];
    const start = Math.min(one, other, last - 1);
    return [start, Math.max(one, other, start + 1)];
  }

  function draw() {
    const [start, end] = bounds();
    bins.forEach((bin, at) => bin.classList.toggle("out", at < start || at >= end));
    low.setAttribute("aria-valuetext", write(edges[Number(low.value)]));
    high.setAttribute("aria-valuetext", write(edges[Number(high.value)]));
    const number = counts.slice(start, end).reduce((sum, each) => sum + each, 0);
    fill(said, `${write(edges[start])} – ${write(edges[end])}`, number < all ? ` · ${count(number)}` : null);
  }

  function report() {
    const [start, end] = bounds();
    changed(start > 0 ? edges[start] : null, end < last ? Number((edges[end] - step).toFixed(4)) : null);
  }

  /** Wants only the values of the bar that was clicked, or all again. */
  function choose(event) {
    const box = chart.getBoundingClientRect();
    const at = Math.min(last - 1, Math.max(0, Math.floor(((event.clientX - box.left) / box.width) * last)));
    const [start, end] = bounds();
    const isChosen = start === at && end === at + 1;
    [low.value, high.value] = isChosen ? [0, last] : [at, at + 1];
    draw();
    report();
  }

  function reset() {
    [low.value, high.value] = [0, last];
    draw();
  }
}
