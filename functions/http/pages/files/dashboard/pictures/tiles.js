// Tiles with small pictures, which are read when one scrolls to them, a few at a time.
import { picture } from "../parts/api.js";
import { h } from "../parts/dom.js";
import { pause } from "../parts/poll.js";

const AT_ONCE = 4;
const REST_SECONDS = 5;

export class Tiles {
  #signal;
  #addresses = new Map();
  #queue = [];
  #running = 0;
  #resting = false;
  #near = new IntersectionObserver((seen) => seen.forEach(({ isIntersecting, target }) => isIntersecting && this.#want(target)), { rootMargin: "300px" });

  /** The pictures are freed when the signal ends. */
  constructor(signal) {
    this.#signal = signal;
    signal.addEventListener("abort", () => this.clear());
  }

  /** A button with the picture of an entry in a list of images. */
  make(entry, name, open) {
    const tile = h("button.tile", { type: "button", onclick: open, "aria-label": name });
    if (/^#[0-9a-f]{6}$/i.test(entry.dominant_color)) tile.style.setProperty("background-color", entry.dominant_color);
    tile.entry = entry;
    this.#near.observe(tile);
    return tile;
  }

  /** Frees all pictures, and reads no more of those that were wanted. */
  clear() {
    this.#near.disconnect();
    this.#queue.length = 0;
    for (const tile of this.#addresses.keys()) this.free(tile);
  }

  /** Frees the picture of a tile that is no longer shown. */
  free(tile) {
    URL.revokeObjectURL(this.#addresses.get(tile));
    this.#addresses.delete(tile);
  }

  #want(tile) {
    this.#near.unobserve(tile);
    this.#queue.push(tile);
    this.#work();
  }

  async #rest(seconds) {
    if (this.#resting) return;
    this.#resting = true;
    await pause(seconds, this.#signal);
    this.#resting = false;
    for (let count = 0; count < AT_ONCE; count += 1) this.#work();
  }

  async #work() {
    if (this.#resting || this.#running >= AT_ONCE || this.#queue.length === 0 || this.#signal.aborted) return;
    this.#running += 1;
    const tile = this.#queue.shift();
    try {
      const address = await picture(tile.entry.links.small, this.#signal);
      this.#addresses.set(tile, address);
      if (tile.isConnected) tile.append(h("img", { src: address, alt: "" }));
      else this.free(tile);
    } catch (error) {
      // the colour of the tile stands for a picture that cannot be read
      if (error.status === 429 || error.status === 503) {
        this.#queue.unshift(tile);
        await this.#rest(error.retryAfter ?? REST_SECONDS);
      }
    } finally {
      this.#running -= 1;
      this.#work();
    }
    this.#work();
  }
}
