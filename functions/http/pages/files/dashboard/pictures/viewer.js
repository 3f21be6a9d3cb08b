// One picture in full, with where it comes from. The arrow keys lead to its neighbours.
import { action } from "../parts/actions.js";
import { picture } from "../parts/api.js";
import { fill, h, outside } from "../parts/dom.js";
import { bytes, count } from "../parts/format.js";

/** Shows one of the entries of a list of images. An entry may have a `note` that is shown with it. */
export function showPicture(entries, first, signal) {
  let at = first;
  let address = null;
  const image = h("div.stage");
  const about = h("div.stack", { "aria-live": "polite" });
  const trouble = h("div", { "aria-live": "polite" });
  const dialog = h("dialog.viewer.stack", { "aria-label": "Picture", onclose: close, onkeydown: onkey });
  const step = (by) => h("button", { type: "button", onclick: () => go(by) }, by < 0 ? "Previous" : "Next");
  const save = action("Save it", "", trouble, () => saveImage(entries[at], signal));
  fill(dialog, image, about, trouble, h("div.line", entries.length > 1 ? [step(-1), step(1)] : null, save, h("button", { type: "button", onclick: () => dialog.close() }, "Close")));
  document.body.append(dialog);
  dialog.showModal();
  show();

  function onkey(event) {
    if (event.key === "ArrowLeft") go(-1);
    if (event.key === "ArrowRight") go(1);
  }

  function go(by) {
    at = (at + by + entries.length) % entries.length;
    show();
  }

  async function show() {
    const entry = entries[at];
    fill(trouble);
    fill(about, facts(entry, at, entries.length));
    const found = await picture(`${entry.links.image}?width=1024`, signal).catch(() => null);
    if (entry !== entries[at] || !dialog.open) {
      if (found) URL.revokeObjectURL(found);
      return;
    }
    free();
    address = found;
    fill(image, found ? h("img", { src: found, alt: entry.caption ?? entry.title ?? entry.label }) : h("p.muted", "This picture cannot be read now."));
  }

  function close() {
    dialog.remove();
    free();
  }

  function free() {
    if (address) URL.revokeObjectURL(address);
    address = null;
  }
}

async function saveImage(entry, signal) {
  const address = await picture(entry.links.image, signal);
  h("a", { href: address, download: `${String(entry.index).padStart(8, "0")}.${entry.format}` }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

const share = (number) => `${Math.round(100 * number)} %`;

function facts(entry, at, all) {
  const by = entry.creator ? [" by ", entry.creator_url ? outside(entry.creator, entry.creator_url) : h("bdi", entry.creator)] : null;
  const license = entry.license_url ? outside(entry.license, entry.license_url) : entry.license;
  const { sharpness, brightness, contrast, entropy } = entry.scores;
  const numbers = [
    ["size", `${count(entry.width)} × ${count(entry.height)}`],
    ["file", `${bytes(entry.size_bytes)} ${entry.format}`],
    ["sharpness", count(Math.round(sharpness))],
    ["brightness", share(brightness)],
    ["contrast", share(contrast)],
    ["entropy", `${entropy.toFixed(1)} bits`],
  ];
  return [
    h("div.line.between", h("p", h("strong", h("bdi", entry.title ?? entry.label)), by), h("span.muted.small.number", `${at + 1} of ${count(all)}`)),
    entry.note ? h("p", entry.note) : null,
    h("div.line", h("span.badge", h("bdi", entry.label)), entry.split ? h("span.badge", entry.split) : null, h("span.badge", license)),
    h("dl.numbers", numbers.map(([term, value]) => h("div", h("dt", term), h("dd", value)))),
    entry.caption && entry.caption !== entry.title ? h("p.small", h("bdi", entry.caption)) : null,
    h("p.small", "From ", h("bdi", entry.source), ": ", outside(entry.page_url ?? entry.url, entry.page_url ?? entry.url)),
    entry.attribution ? h("p.small.muted", h("bdi", entry.attribution)) : null,
  ];
}
