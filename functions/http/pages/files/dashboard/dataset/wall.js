// A wall of pictures that is filled as one scrolls.
import { get } from "../parts/api.js";
import { fill, h } from "../parts/dom.js";
import { plural } from "../parts/format.js";
import { problem } from "../parts/notices.js";
import { pause, visible } from "../parts/poll.js";
import { Tiles } from "../pictures/tiles.js";
import { showPicture } from "../pictures/viewer.js";

const PAGE = 24;
// a page may have no image though more follow: so many pages without one are read in a row
const MOST_EMPTY = 10;

/** Returns the wall of a list of images, and `show`, which fills it with the images that a query asks for. */
export function wall(path, signal) {
  const list = h("ul.wall");
  const more = h("div.line");
  const said = h("p.muted.small", { role: "status" });
  const tiles = new Tiles(signal);
  const entries = [];
  let newest = 0;
  return { element: h("div.stack", list, more, said), show };

  /** Shows other images; the parameters of the query are those of the list. */
  function show(query) {
    newest += 1;
    entries.length = 0;
    tiles.clear();
    fill(list);
    load(`${path}?${new URLSearchParams({ limit: PAGE, ...query })}`, newest);
  }

  async function load(from, mine, byButton = false) {
    const before = entries.length;
    fill(more);
    try {
      let [next, empty, added] = [from, 0, 0];
      while (next !== null && added === 0 && empty < MOST_EMPTY) {
        const { body, retryAfter } = await get(next, signal);
        if (mine !== newest || signal.aborted) return;
        next = body.next;
        added = body.items.length;
        add(body.items);
        if (added > 0 || next === null) break;
        said.textContent = "Looking for pictures …";
        // an index is being made: that counts as no page
        if (retryAfter === null) empty += 1;
        else await pause(retryAfter, signal);
        await visible(signal);
        if (mine !== newest || signal.aborted) return;
      }
      said.textContent = entries.length > 0 ? `${plural(entries.length, "picture")} shown` : next === null ? "There is no such picture." : "No such picture was found yet.";
      const text = entries.length > 0 ? "More pictures" : "Look further";
      fill(more, next === null ? null : h("button", { type: "button", onclick: () => load(next, mine, true) }, text));
      // the button that was pressed is gone
      if (byButton) (list.children[before]?.firstChild ?? more.firstChild)?.focus();
    } catch (error) {
      if (mine === newest && !signal.aborted) fill(more, problem(error));
    }
  }

  function add(items) {
    for (const entry of items) {
      const at = entries.push(entry) - 1;
      const name = `${entry.title ?? entry.label}, picture ${at + 1}`;
      list.append(h("li", tiles.make(entry, name, () => showPicture(entries, at, signal))));
    }
  }
}
