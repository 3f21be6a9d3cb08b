// One picture in full, with where it comes from. The arrow keys lead to its neighbours.
import { picture } from "../parts/api.js";
import { fill, h, outside } from "../parts/dom.js";
import { bytes } from "../parts/format.js";

export function showPicture(entries, first, signal) {
  let at = first;
  let address = null;
  const image = h("div");
  const about = h("div.stack", { "aria-live": "polite" });
  const dialog = h("dialog.viewer.stack", { "aria-label": "Picture", onclose: close, onkeydown: turn });
  const step = (by) => h("button", { type: "button", onclick: () => go(by) }, by < 0 ? "Previous" : "Next");
  fill(dialog, image, about, h("div.line", step(-1), step(1), h("button", { type: "button", onclick: () => dialog.close() }, "Close")));
  document.body.append(dialog);
  dialog.showModal();
  show();

  function turn(event) {
    if (event.key === "ArrowLeft") go(-1);
    if (event.key === "ArrowRight") go(1);
  }

  function go(by) {
    at = (at + by + entries.length) % entries.length;
    show();
  }

  async function show() {
    const entry = entries[at];
    fill(about, facts(entry));
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

const share = (number) => `${Math.round(100 * number)} %`;

function facts(entry) {
  const by = entry.creator ? [" by ", entry.creator_url ? outside(entry.creator, entry.creator_url) : h("bdi", entry.creator)] : null;
  const license = entry.license_url ? outside(entry.license, entry.license_url) : entry.license;
  const { sharpness, brightness, contrast } = entry.scores;
  return [
    h("p", h("strong", h("bdi", entry.title ?? entry.label)), by),
    h("div.line", h("span.badge", h("bdi", entry.label)), entry.split ? h("span.badge", entry.split) : null, h("span.badge", license)),
    h("p.muted.small.number", `${entry.width} × ${entry.height} · ${bytes(entry.size_bytes)} · ${entry.format} · sharpness ${Math.round(sharpness)} · brightness ${share(brightness)} · contrast ${share(contrast)}`),
    h("p.small", "From ", entry.source, ": ", outside(entry.page_url ?? entry.url, entry.page_url ?? entry.url)),
  ];
}
