// What the wall of pictures shows: by label, split, licence, source, size and scores, and in which order.
import { fill, h } from "../parts/dom.js";
import { count, megapixels, percent } from "../parts/format.js";
import { histogram } from "./histogram.js";

const ORDERS = [
  ["", "as found"],
  ["sharpest", "sharpest first"],
  ["blurriest", "blurriest first"],
  ["brightest", "brightest first"],
  ["darkest", "darkest first"],
  ["largest", "largest first"],
  ["smallest", "smallest first"],
];
const MEASURES = [
  ["pixels", "size", { write: megapixels, step: 1 }],
  ["sharpness", "sharpness", { write: count, step: 0.01 }],
  ["brightness", "brightness", { write: (value) => `${percent(value, 1)} %`, step: 0.0001 }],
];

/** Returns the filters, and `use`, which shows the statistics of the dataset. `changed` is called with the query of the list. */
export function filters(dataset, changed) {
  const ranges = {};
  const charts = [];
  const graphs = h("div.graphs");
  const clear = h("button.quiet", { type: "button", onclick: reset }, "Show all");
  const label = select("label", named(sizes(dataset.labels)));
  const split = select("split", named(dataset.splits));
  const license = select("license", [], "Licence");
  const source = select("source", []);
  const sort = select("sort", ORDERS, "Order");
  const all = [label, split, license, source, sort];
  const wide = matchMedia("(min-width: 48rem)").matches;
  const details = h("details", { open: wide, hidden: true }, h("summary", "By size, sharpness and brightness"), graphs);
  report();
  return { element: h("div.stack", { role: "group", "aria-label": "Filters" }, h("div.fields", all.map(({ element }) => element)), details, h("div", clear)), use };

  function select(name, options, title = name[0].toUpperCase() + name.slice(1)) {
    const input = h("select", { id: `by-${name}`, onchange: report });
    const element = h("div.field", h("label", { for: input.id }, title), input);
    const offer = (values) => {
      fill(input, values.some(([value]) => value === "") ? null : h("option", { value: "" }, "all"), values.map(([value, text]) => h("option", { value }, text)));
      element.hidden = values.length < 2;
    };
    offer(options);
    return { name, input, element, offer };
  }

  function use(statistics) {
    license.offer(named(statistics.licenses));
    source.offer(named(statistics.sources));
    charts.splice(0);
    for (const [measure, title, how] of MEASURES) {
      charts.push(histogram(title, statistics.histograms[measure], { ...how, changed: (least, most) => limit(measure, least, most) }));
    }
    fill(graphs, charts.map(({ element }) => element));
    details.hidden = false;
  }

  function limit(measure, least, most) {
    ranges[`min_${measure}`] = least;
    ranges[`max_${measure}`] = most;
    report();
  }

  function reset() {
    for (const { input } of all) input.value = "";
    for (const name of Object.keys(ranges)) delete ranges[name];
    for (const chart of charts) chart.reset();
    // the button that was pressed is about to be hidden
    sort.input.focus();
    report();
  }

  function report() {
    const values = [...all.map(({ name, input }) => [name, input.value]), ...Object.entries(ranges)];
    const query = Object.fromEntries(values.filter(([, value]) => value !== "" && value !== null));
    clear.hidden = Object.keys(query).length === 0;
    changed(query);
  }
}

const named = (numbers) => Object.entries(numbers).filter(([name]) => name !== "").map(([name, number]) => [name, `${name} · ${count(number)}`]);

const sizes = (labels) => Object.fromEntries(Object.entries(labels).map(([label, { kept }]) => [label, kept]));
