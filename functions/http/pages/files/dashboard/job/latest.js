// The pictures that a job has kept last, as they come.
import { get } from "../parts/api.js";
import { fill, h } from "../parts/dom.js";
import { ENDED } from "../parts/words.js";
import { Tiles } from "../pictures/tiles.js";
import { showPicture } from "../pictures/viewer.js";

const SHOWN = 12;
const REST_SECONDS = 10;

/** The newest pictures of a job. `see` is called with the job whenever it was read, and looks for new ones now and then. */
export function latestPictures(path, signal) {
  const tiles = new Tiles(signal);
  const strip = h("ul.strip", { "aria-hidden": "true" }, Array.from({ length: SHOWN }, () => h("li.tile")));
  const title = h("h2", "Latest pictures");
  const element = h("section.stack", { "aria-label": "Latest pictures" }, title, strip);
  const known = new Map();
  let entries = [];
  let [kept, readAt, reading] = ["", -Infinity, false];
  return { element, see };

  async function see(job) {
    const ended = ENDED.has(job.state);
    if (ended && known.size === 0) element.hidden = true;
    const rests = !ended && performance.now() - readAt < 1000 * REST_SECONDS;
    // a tile that is replaced would lose the focus
    const isUsed = strip.contains(document.activeElement) || document.querySelector("dialog[open]");
    const now = `${job.progress.kept} ${ended}`;
    if (reading || rests || isUsed || now === kept || job.progress.kept === 0) return;
    [reading, readAt, kept] = [true, performance.now(), now];
    title.textContent = ended ? "Pictures" : "Latest pictures";
    try {
      const images = job.links.dataset && job.state === "completed" ? `${job.links.dataset}/images` : `${path}/images`;
      const { body } = await get(`${images}?limit=${SHOWN}`, signal);
      if (body.items.length > 0) show(body.items);
    } catch {
      // the numbers say what the job has kept, also where its pictures cannot be read
    } finally {
      reading = false;
    }
  }

  function show(items) {
    entries = items;
    for (const [n, tile] of known) {
      if (items.some((entry) => entry.n === n)) continue;
      tiles.free(tile);
      known.delete(n);
    }
    for (const entry of items) if (!known.has(entry.n)) known.set(entry.n, tileOf(entry));
    fill(strip, items.map((entry) => known.get(entry.n).parentElement ?? h("li", known.get(entry.n))));
    strip.removeAttribute("aria-hidden");
    element.hidden = false;
  }

  function tileOf(entry) {
    const open = () => showPicture(entries, Math.max(0, entries.findIndex(({ n }) => n === entry.n)), signal);
    return tiles.make(entry, `${entry.title ?? entry.label}, picture ${entry.index}`, open);
  }
}
