// Bars. What a bar shows is said in words as well.
import { h } from "./dom.js";
import { count, percent } from "./format.js";

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
