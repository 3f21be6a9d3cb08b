// Why images were refused: a bar for each reason, what it means, and examples. An example is an address, never a picture.
import { get } from "../parts/api.js";
import { bar } from "../parts/charts.js";
import { fill, h, outside } from "../parts/dom.js";
import { count } from "../parts/format.js";
import { problem } from "../parts/notices.js";
import { reason } from "../parts/words.js";

const EXAMPLES = 3;
const MOST_PAGES = 4;
const MOST_CHARACTERS = 160;

/** The reasons of a job. `see` shows the counts, and leaves open what a person has opened. */
export function refusals(path, signal) {
  const list = h("ul.bars");
  const element = h("section.card.stack", { hidden: true }, h("h2", "Why images were refused"), list);
  const shown = new Map();
  return { element, see };

  function see(job) {
    const entries = Object.entries(job.rejections).sort(([, a], [, b]) => b - a);
    element.hidden = entries.length === 0;
    for (const [code, each] of shown) {
      if (code in job.rejections) continue;
      each.item.remove();
      shown.delete(code);
    }
    for (const [code, number] of entries) {
      if (!shown.has(code)) shown.set(code, itemOf(code));
      const { amount, holder } = shown.get(code);
      amount.textContent = count(number);
      fill(holder, bar([["refused", number]], entries[0][1], `${reason(code)[0]}: ${number}`, true));
    }
    const items = entries.map(([code]) => shown.get(code).item);
    // what is moved would lose the focus
    const isSorted = items.every((item, at) => list.children[at] === item);
    if (!isSorted && !list.contains(document.activeElement)) fill(list, items);
    else list.append(...items.filter((item) => !item.isConnected));
  }

  function itemOf(code) {
    const [title, meaning] = reason(code);
    const [amount, holder] = [h("span.number"), h("div")];
    const examples = h("div.stack.tight", { "aria-live": "polite" });
    const details = h("details", h("summary", h("span.hidden", `${title}: `), "Examples"), examples);
    let opened = false;
    details.addEventListener("toggle", () => {
      if (!details.open || opened) return;
      opened = true;
      find(code, examples, () => (opened = false));
    });
    const item = h("li", h("div.line.between", h("strong", title), amount), holder, h("p.muted.small", meaning), details);
    return { item, amount, holder };
  }

  async function find(code, place, failed) {
    fill(place, h("p.muted.small", "Looking …"));
    let next = `${path}/records?${new URLSearchParams({ outcome: "rejected", reason: code, limit: EXAMPLES })}`;
    try {
      const found = [];
      let waits = false;
      // a page may have no record though more follow
      for (let page = 0; page < MOST_PAGES && next && !waits && found.length < EXAMPLES; page += 1) {
        const { body, retryAfter } = await get(next, signal);
        found.push(...body.items);
        [next, waits] = [body.next, retryAfter !== null];
      }
      if (found.length === 0) failed();
      fill(place, found.length > 0 ? h("ul.examples", found.slice(0, EXAMPLES).map(example)) : h("p.muted.small", "No example was found yet. Open this again later."));
    } catch (error) {
      if (signal.aborted) return;
      failed();
      fill(place, problem(error));
    }
  }
}

function example(record) {
  const url = record.url.length > MOST_CHARACTERS ? `${record.url.slice(0, MOST_CHARACTERS)}…` : record.url;
  const same = record.same_as === null || record.same_as === undefined ? null : h("p.muted.small", `It is the same as number ${record.same_as}${record.same_as_dataset ? ` of dataset ${record.same_as_dataset}` : ""}.`);
  return h(
    "li",
    h("p.small", h("bdi", outside(url, record.url))),
    h("p.muted.small", h("bdi", record.label), ` · number ${record.index} · ${record.source}`),
    record.detail ? h("p.small", record.detail) : null,
    same,
  );
}
