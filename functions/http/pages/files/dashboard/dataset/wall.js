// A wall of pictures that is filled as one scrolls, and a view of each with its origin.
import { get, picture } from "../parts/api.js";
import { fill, h } from "../parts/dom.js";
import { plural } from "../parts/format.js";
import { problem } from "../parts/notices.js";
import { pause } from "../parts/poll.js";
import { showPicture } from "./viewer.js";

const PAGE = 24;
const AT_ONCE = 4;
const REST_SECONDS = 5;

/** The pictures of a list of images, by label, split and licence if `choices` names them. */
export function wall(path, signal, choices = {}) {
  const tiles = h("ul.wall");
  const more = h("div.line");
  const said = h("p.muted.small", { role: "status" });
  const entries = [];
  const addresses = [];
  const queue = [];
  let [next, loading, running, turn, resting] = [null, false, 0, 0, false];
  signal.addEventListener("abort", () => addresses.forEach((each) => URL.revokeObjectURL(each)));
  const near = new IntersectionObserver((seen) => seen.forEach(({ isIntersecting, target }) => isIntersecting && want(target)), { rootMargin: "300px" });
  const selects = Object.entries(choices).filter(([, values]) => values.length > 1).map(([name, values]) => select(name, values));
  const chosen = Object.fromEntries(selects.map(({ name, input }) => [name, input]));
  restart();
  return h("section.stack", { "aria-label": "Pictures" }, selects.length > 0 ? h("div.fields", selects.map(({ element }) => element)) : null, tiles, more, said);

  function select(name, values) {
    const options = values.map((value) => h("option", { value }, value));
    const input = h("select", { id: `by-${name}`, onchange: restart }, h("option", { value: "" }, "all"), options);
    return { name, input, element: h("div.field", h("label", { for: input.id }, name[0].toUpperCase() + name.slice(1)), input) };
  }

  function restart() {
    turn += 1;
    entries.length = queue.length = 0;
    fill(tiles);
    const query = new URLSearchParams({ limit: PAGE });
    for (const [name, input] of Object.entries(chosen)) if (input.value !== "") query.set(name, input.value);
    load(`${path}?${query}`);
  }

  async function load(from) {
    const mine = turn;
    loading = true;
    try {
      const { body } = await get(from, signal);
      if (mine !== turn || signal.aborted) return;
      next = body.next;
      add(body.items);
      // a page may have no image though more follow
      if (body.items.length === 0 && next !== null) return void load(next);
      said.textContent = entries.length === 0 ? "There is no picture." : `${plural(entries.length, "picture")} shown`;
      fill(more, next ? h("button", { type: "button", onclick: () => loading || load(next) }, "More pictures") : null);
    } catch (error) {
      if (mine === turn && !signal.aborted) fill(more, problem(error));
    } finally {
      loading = false;
    }
  }

  function add(items) {
    for (const entry of items) {
      const at = entries.push(entry) - 1;
      const open = () => showPicture(entries, at, signal);
      const tile = h("button.tile", { type: "button", onclick: open, "aria-label": `${entry.title ?? entry.label}, picture ${at + 1}` });
      if (/^#[0-9a-f]{6}$/i.test(entry.dominant_color)) tile.style.setProperty("background-color", entry.dominant_color);
      tile.entry = entry;
      tiles.append(h("li", tile));
      near.observe(tile);
    }
  }

  function want(tile) {
    near.unobserve(tile);
    queue.push(tile);
    work();
  }

  async function rest(seconds) {
    if (resting) return;
    resting = true;
    await pause(seconds, signal);
    resting = false;
    for (let count = 0; count < AT_ONCE; count += 1) work();
  }

  async function work() {
    if (resting || running >= AT_ONCE || queue.length === 0 || signal.aborted) return;
    running += 1;
    const tile = queue.shift();
    try {
      const address = await picture(tile.entry.links.small, signal);
      addresses.push(address);
      tile.append(h("img", { src: address, alt: "" }));
    } catch (error) {
      // the colour of the tile stands for a picture that cannot be read
      if (error.status === 429 || error.status === 503) {
        queue.unshift(tile);
        await rest(error.retryAfter ?? REST_SECONDS);
      }
    } finally {
      running -= 1;
      work();
    }
    work();
  }
}
