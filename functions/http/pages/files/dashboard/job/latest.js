// The pictures that a job has kept last, as they come.
import { showPicture } from "../pictures/viewer.js";
import { get, picture } from "../parts/api.js";
import { fill, h } from "../parts/dom.js";
import { ENDED } from "../parts/words.js";

const SHOWN = 12;
const AT_ONCE = 4;
const REST_SECONDS = 10;

/** The newest pictures of a job. `see` is called with the job whenever it was read, and looks for new ones now and then. */
export function latestPictures(path, signal) {
  const tiles = h("ul.strip", { "aria-hidden": "true" }, Array.from({ length: SHOWN }, () => h("li.tile")));
  const title = h("h2", "Latest pictures");
  const element = h("section.stack", { "aria-label": "Latest pictures" }, title, tiles);
  const known = new Map();
  let entries = [];
  let [kept, readAt, reading] = ["", -Infinity, false];
  signal.addEventListener("abort", () => [...known.values()].forEach(free));
  return { element, see };

  async function see(job) {
    const ended = ENDED.has(job.state);
    if (ended && known.size === 0) element.hidden = true;
    const rests = !ended && performance.now() - readAt < 1000 * REST_SECONDS;
    // a tile that is replaced would lose the focus
    const isUsed = tiles.contains(document.activeElement) || document.querySelector("dialog[open]");
    const now = `${job.progress.kept} ${ended}`;
    if (reading || rests || isUsed || now === kept || job.progress.kept === 0) return;
    [reading, readAt, kept] = [true, performance.now(), now];
    title.textContent = ended ? "Pictures" : "Latest pictures";
    try {
      const images = job.links.dataset && job.state === "completed" ? `${job.links.dataset}/images` : `${path}/images`;
      const { body } = await get(`${images}?limit=${SHOWN}`, signal);
      if (body.items.length > 0) await show(body.items);
    } catch {
      // the numbers say what the job has kept, also where its pictures cannot be read
    } finally {
      reading = false;
    }
  }

  async function show(items) {
    entries = items;
    for (const [n, tile] of known) {
      if (items.some((entry) => entry.n === n)) continue;
      free(tile);
      known.delete(n);
    }
    const fresh = items.filter((entry) => !known.has(entry.n));
    for (const entry of fresh) known.set(entry.n, tileOf(entry));
    fill(tiles, items.map((entry) => known.get(entry.n).item));
    tiles.removeAttribute("aria-hidden");
    element.hidden = false;
    const load = async () => {
      for (let entry = fresh.shift(); entry && !signal.aborted; entry = fresh.shift()) await loadInto(entry);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, load));
  }

  async function loadInto(entry) {
    const address = await picture(entry.links.small, signal).catch(() => null);
    const tile = known.get(entry.n);
    if (address === null) return;
    if (!tile || signal.aborted) URL.revokeObjectURL(address);
    else tile.button.append(h("img", { src: (tile.address = address), alt: "" }));
  }

  function tileOf(entry) {
    const open = () => showPicture(entries, Math.max(0, entries.findIndex(({ n }) => n === entry.n)), signal);
    const button = h("button.tile", { type: "button", onclick: open, "aria-label": `${entry.title ?? entry.label}, picture ${entry.index}` });
    if (/^#[0-9a-f]{6}$/i.test(entry.dominant_color)) button.style.setProperty("background-color", entry.dominant_color);
    return { item: h("li", button), button, address: null };
  }
}

function free(tile) {
  if (tile.address) URL.revokeObjectURL(tile.address);
}
