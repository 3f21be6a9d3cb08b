// What was left out of a dataset: how often for which reason, and copies beside the image that was preferred.
import { get } from "../parts/api.js";
import { bar } from "../parts/charts.js";
import { fill, h, outside } from "../parts/dom.js";
import { bytes, count, plural } from "../parts/format.js";
import { problem } from "../parts/notices.js";
import { pause, visible } from "../parts/poll.js";
import { reason } from "../parts/words.js";
import { Tiles } from "../pictures/tiles.js";
import { showPicture } from "../pictures/viewer.js";

const COPIES = ["near_duplicate", "duplicate"];
const MOST_REASONS = 8;

/** A section, or null if nothing was left out. */
export function leftOut(dataset, signal) {
  const reasons = sums(dataset.labels);
  if (reasons.length === 0) return null;
  const all = reasons.reduce((sum, [, number]) => sum + number, 0);
  const copies = COPIES.filter((code) => reasons.some(([found]) => found === code)).map((code) => [code, reasons.find(([found]) => found === code)[1]]);
  return h(
    "section.stack.loose",
    { "aria-labelledby": "left-out" },
    h("div.stack", h("h2", { id: "left-out" }, "What was left out"), h("p.muted", `${plural(all, "candidate")} did not become part of the dataset.`)),
    bars(reasons),
    copies.length > 0 ? groups(dataset, copies, signal) : null,
  );
}

function sums(labels) {
  const found = new Map();
  for (const { rejected } of Object.values(labels)) {
    for (const [code, number] of Object.entries(rejected)) found.set(code, (found.get(code) ?? 0) + number);
  }
  return [...found].sort(([, a], [, b]) => b - a);
}

function bars(reasons) {
  const [[, most]] = reasons;
  const items = reasons.slice(0, MOST_REASONS).map(([code, number]) => {
    const [title, meaning] = reason(code);
    return h("li", { title: meaning }, h("div.line.between", h("span", title), h("span.number", count(number))), bar([["refused", number]], most, `${title}: ${count(number)}`, true));
  });
  const rest = reasons.slice(MOST_REASONS).reduce((sum, [, number]) => sum + number, 0);
  return h("div.stack", h("ul.bars.many", items), rest > 0 ? h("p.muted", `and ${count(rest)} for other reasons`) : null);
}

function groups(dataset, kinds, signal) {
  const list = h("ul.groups");
  const more = h("div.line");
  const said = h("p.muted.small", { role: "status" });
  const tiles = new Tiles(signal);
  const shown = new Map();
  let [newest, fresh] = [0, []];
  const choices = kinds.map(([code, number], at) => {
    const box = h("input", { type: "radio", name: "copies", value: code, checked: at === 0, onchange: () => show(code) });
    return h("label.chip", box, `${reason(code)[0]} · ${count(number)}`);
  });
  const element = h("div.stack", h("fieldset", h("legend.hidden", "Copies"), h("div.chips", choices)), list, more, said);
  // a person may never scroll to it, and the first call may have to wait for an index
  const near = new IntersectionObserver(([seen]) => {
    if (!seen.isIntersecting) return;
    near.disconnect();
    show(kinds[0][0]);
  });
  near.observe(element);
  signal.addEventListener("abort", () => near.disconnect());
  return element;

  function show(code) {
    newest += 1;
    tiles.clear();
    shown.clear();
    fill(list);
    load(`${dataset.links.duplicates}?reason=${code}`, newest);
  }

  async function load(path, mine, byButton = false) {
    fresh = [];
    fill(more);
    said.textContent = "Looking for copies …";
    try {
      let [next, waits] = [path, true];
      while (waits && mine === newest && !signal.aborted) {
        const { body, retryAfter } = await get(next, signal);
        if (mine !== newest || signal.aborted) return;
        waits = retryAfter !== null;
        next = body.next;
        body.items.forEach(add);
        if (waits) await pause(retryAfter, signal);
        if (waits) await visible(signal);
      }
      said.textContent = "";
      fill(more, next === null ? null : h("button", { type: "button", onclick: () => load(next, mine, true) }, "More copies"));
      // the button that was pressed is gone
      if (byButton) fresh[0]?.focus();
    } catch (error) {
      said.textContent = "";
      if (mine === newest && !signal.aborted) fill(more, problem(error));
    }
  }

  /** Adds a group, or goes on with the one before. */
  function add(group) {
    const key = `${group.same_as_dataset ?? ""}/${group.same_as}`;
    let row = shown.get(key);
    if (!row) {
      row = { pictures: [], copies: h("ul.copies") };
      shown.set(key, row);
      list.append(h("li.group", original(group, row), h("div.stack.tight", h("p.muted.small", plural(group.count, "copy", "copies")), row.copies)));
    }
    row.copies.append(...group.copies.map((copy) => h("li", one(copy, row))));
  }

  function original({ image, same_as_dataset: other }, row) {
    if (image) return h("div.stack.tight", tile({ ...image, note: "This one is in the dataset." }, "kept", row), h("p.small", h("strong", "Kept")), about(image));
    const text = other ? ["It is in ", h("a", { href: `#/datasets/${other}` }, "an earlier dataset"), "."] : "It was left out, too: there were enough.";
    return h("p.small", text);
  }

  function one(copy, row) {
    const [title] = reason(copy.reason);
    if (!copy.image) return h("div.gone.small.stack.tight", h("bdi", copy.title ?? copy.label), outside(address(copy), copy.page_url ?? copy.url));
    return h("div.stack.tight", tile({ ...copy.image, note: `Left out: ${title.toLowerCase()}.` }, "left out", row), about(copy.image));
  }

  function tile(entry, what, row) {
    const at = row.pictures.push(entry) - 1;
    const made = tiles.make(entry, `${entry.title ?? entry.label}, ${what}`, () => showPicture(row.pictures, at, signal));
    fresh.push(made);
    return made;
  }
}

const about = (entry) => h("p.muted.small.number", `${entry.width}×${entry.height}`, h("br"), bytes(entry.size_bytes));

function address({ page_url: page, url }) {
  try {
    return new URL(page ?? url).host;
  } catch {
    return page ?? url;
  }
}
