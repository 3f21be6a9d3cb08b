// Lists that grow by pages.
import { action } from "./actions.js";
import { get } from "./api.js";
import { fill, h } from "./dom.js";

/** A list with a button for the next page. `first` is the first page, and `row` makes an item. */
export function pagedList(first, row, text, signal) {
  const [rows, more, trouble] = [h("ul.rows"), h("div"), h("div", { "aria-live": "polite" })];
  const add = (page) => {
    rows.append(...page.items.map(row));
    fill(more, page.next ? action(text, "", trouble, async () => add((await get(page.next, signal)).body)) : null);
  };
  add(first);
  return h("div.stack", rows, more, trouble);
}
