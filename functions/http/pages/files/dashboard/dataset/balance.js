// How the images are spread over labels, splits, licences and sources.
import { bar } from "../parts/charts.js";
import { fill, h } from "../parts/dom.js";
import { count, percent, plural } from "../parts/format.js";

const KINDS = ["accent", "other", "kept", "refused"];
const MOST_LABELS = 40;
const MOST_ORIGINS = 6;

/** Returns two cards, and `use`, which shows the statistics of the dataset. */
export function balance(dataset) {
  const splits = Object.keys(dataset.splits);
  const bars = h("div.stack");
  const origins = h("div.stack");
  const labels = Object.fromEntries(Object.entries(dataset.labels).map(([label, { kept }]) => [label, { "": kept }]));
  draw(labels, [""]);
  const from = h("section.card.stack", { hidden: true }, h("h2", "Origins"), origins);
  return { labels: h("section.card.stack", h("h2", "Labels and splits"), legend(dataset, splits), bars), from, use };

  function use(statistics) {
    draw(statistics.labels, splits.length > 0 ? splits : [""]);
    fill(origins, h("h3", "Sources"), ranking(statistics.sources), h("h3", "Licences"), ranking(statistics.licenses));
    from.hidden = false;
  }

  function draw(found, names) {
    const sum = (numbers) => Object.values(numbers).reduce((all, number) => all + number, 0);
    const entries = Object.entries(found).map(([label, numbers]) => [label, numbers, sum(numbers)]).sort(([, , a], [, , b]) => b - a);
    const most = entries[0]?.[2] ?? 0;
    const least = entries.at(-1)?.[2] ?? 0;
    const items = entries.slice(0, MOST_LABELS).map(([label, numbers, all]) => {
      const words = `${label}: ${plural(all, "image")}${names.length > 1 ? `, ${names.map((name) => `${count(numbers[name] ?? 0)} ${name}`).join(", ")}` : ""}`;
      const parts = names.map((name, at) => [KINDS[at % KINDS.length], numbers[name] ?? 0]);
      return h("li", h("div.line.between", h("bdi", label), h("strong.number", count(all))), bar(parts, most, words));
    });
    const uneven = least > 0 && most >= 2 * least ? `The largest label has ${(most / least).toFixed(1)} times as many images as the smallest.` : null;
    const more = entries.length > MOST_LABELS ? `and ${count(entries.length - MOST_LABELS)} more labels` : null;
    fill(bars, uneven ? h("p.muted", uneven) : null, h("ul.bars", items), more ? h("p.muted", more) : null);
  }
}

function legend({ splits }, names) {
  const all = Object.values(splits).reduce((sum, number) => sum + number, 0);
  if (names.length < 2) return null;
  return h("div.line", names.map((name, at) => h(`span.key.${KINDS[at % KINDS.length]}`, `${name} ${count(splits[name])} · ${percent(splits[name], all)} %`)));
}

function ranking(numbers) {
  const entries = Object.entries(numbers).sort(([, a], [, b]) => b - a);
  const most = entries[0]?.[1] ?? 0;
  const items = entries.slice(0, MOST_ORIGINS).map(([name, number]) => h("li", h("div.line.between", h("bdi", name || "unknown"), h("span.number", count(number))), bar([["accent", number]], most, `${name}: ${count(number)}`, true)));
  const rest = entries.slice(MOST_ORIGINS).reduce((sum, [, number]) => sum + number, 0);
  return h("div.stack", h("ul.bars", items), rest > 0 ? h("p.muted.small", `and ${count(rest)} from others`) : null);
}
