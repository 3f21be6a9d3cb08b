// Columns over time, bars that compare, and bars of parts. What a chart shows is said in words as well.
import { h } from "./dom.js";
import { count, date, percent } from "./format.js";

const MOST_COLUMNS = 48;
const MOST_BARS = 6;
const KINDS = ["accent", "other", "kept", "refused"];

/** Divides a time, in milliseconds, into at most 48 equal spans of whole steps: [{at, rows}, …]. Rows have their time in `field`. */
export function spans(rows, field, { start, end, step }) {
  const steps = Math.max(1, Math.ceil((end - start) / step));
  const wide = Math.ceil(steps / MOST_COLUMNS) * step;
  const found = Array.from({ length: Math.ceil((steps * step) / wide) }, (_, at) => ({ at: new Date(start + at * wide), rows: [] }));
  for (const row of rows) found[Math.floor((Date.parse(row[field]) - start) / wide)]?.rows.push(row);
  return found;
}

/** Columns of stacked parts, [{at, parts: [[class, amount], …]}, …]. `write` says what an amount is. */
export function columns(entries, words, write) {
  const total = (parts) => parts.reduce((sum, [, amount]) => sum + amount, 0);
  const most = Math.max(...entries.map(({ parts }) => total(parts)));
  const chart = h("div.columns", { role: "img", "aria-label": words });
  for (const { at, parts } of entries) {
    const column = h("span.column", { title: `${date(at)}: ${write(total(parts))}` });
    for (const [kind, amount] of parts) {
      const part = h(`span.part.${kind}`);
      part.style.setProperty("height", `${most > 0 ? (100 * amount) / most : 0}%`);
      column.append(part);
    }
    chart.append(column);
  }
  const axis = h("div.line.between.muted.small.number", h("span", date(entries[0].at)), h("span", `at most ${write(most)}`));
  return h("div.stack.tight", chart, axis);
}

/** Bars that compare, the longest first: [{name, value, parts, more}, …]. */
export function ranking(entries) {
  const total = ({ parts }) => parts.reduce((sum, [, amount]) => sum + amount, 0);
  const sorted = [...entries].sort((a, b) => total(b) - total(a)).slice(0, MOST_BARS);
  const most = Math.max(...sorted.map(total), 0);
  const items = sorted.map((entry) =>
    h(
      "li",
      h("div.line.between", h("bdi", entry.name), h("strong.number", entry.value)),
      bar(entry.parts, most, `${entry.name}: ${entry.value}`, true),
      entry.more ? h("p.muted.small", h("bdi", entry.more)) : null,
    ),
  );
  const left = entries.length - sorted.length;
  return h("ul.bars", items, left > 0 ? h("li.muted.small", `and ${left} more`) : null);
}

/** Says which colour stands for what. */
export const keys = (names) => h("div.line", names.map(([kind, name]) => h(`span.key.${kind}`, name)));

/** Gives each name a colour. After four names, the colours repeat. */
export const kindsOf = (names) => names.map((name, at) => [KINDS[at % KINDS.length], name]);

/** A bar of parts, [[class, amount], …]. What it shows is said in words as well. */
export function bar(parts, all, words, slim = false) {
  const total = Math.max(all, parts.reduce((sum, [, amount]) => sum + amount, 0), 1);
  const element = h(slim ? "div.bar.slim" : "div.bar", { role: "img", "aria-label": words });
  for (const [kind, amount] of parts) {
    if (amount <= 0) continue;
    const part = h(`span.part.${kind}`);
    part.style.setProperty("width", `${(100 * amount) / total}%`);
    element.append(part);
  }
  return element;
}

/** Bars of labels: what was kept, refused and not yet fetched. */
export function labelBars(labels, live) {
  const entries = Object.entries(labels).sort(([, a], [, b]) => b.kept - a.kept || b.found - a.found);
  const most = Math.max(1, ...entries.map(([, each]) => each.found));
  const shown = entries.slice(0, 60);
  const items = shown.map(([label, each]) => {
    const refused = Object.values(each.rejected).reduce((sum, number) => sum + number, 0);
    const words = `${label}: ${each.kept} kept, ${refused} refused`;
    return h(
      "li",
      h("div.line.between", h("bdi", label), h("span.number", h("strong", count(each.kept)), h("span.muted", ` of ${count(each.found)}`))),
      bar([["kept", each.kept], ["refused", refused], ["rest", each.found - each.kept - refused]], most, words),
    );
  });
  const more = entries.length > shown.length ? h("p.muted", `and ${count(entries.length - shown.length)} more labels`) : null;
  const keys = h("div.line", h("span.key.kept", "kept"), h("span.key.refused", "refused"), live ? h("span.key.rest", "not fetched yet") : null);
  return h("div.stack", keys, h("ul.bars", items), more);
}

/** Parts of a whole with names and shares. `write` says what an amount is. */
export function shares(entries, words, write = (amount, share) => `${count(amount)} · ${share} %`) {
  const kinds = ["accent", "other", "kept", "refused"];
  const all = entries.reduce((sum, [, amount]) => sum + amount, 0);
  const keys = entries.map(([name, amount], at) => h(`span.key.${kinds[at % 4]}`, `${name} ${write(amount, percent(amount, all))}`));
  return h("div.stack", bar(entries.map(([, amount], at) => [kinds[at % 4], amount]), all, words), h("div.line", keys));
}
