// One dataset: its pictures, what it has and what was left out, what it costs, how to get it and how to load it.
import { action, confirm } from "../parts/actions.js";
import { change, get } from "../parts/api.js";
import { fill, h } from "../parts/dom.js";
import { bytes, count, date, percent, plural } from "../parts/format.js";
import { facts, problem } from "../parts/notices.js";
import { poll } from "../parts/poll.js";
import { FORMATS } from "../parts/words.js";
import { balance } from "./balance.js";
import { filters } from "./filters.js";
import { keeping } from "./keeping.js";
import { leftOut } from "./left_out.js";
import { links, loading } from "./loading.js";
import { wall } from "./wall.js";

const MOVING_SECONDS = 30;

export async function showDataset({ main, signal, id }) {
  const path = `/api/v1/datasets/${id}`;
  const { body: first } = await get(path, signal);
  if (signal.aborted) return;
  document.title = `${first.name} · PixCrawler`;
  const [summary, made, acts, files, kept] = [h("div"), h("div.line"), h("div.line"), h("div", { "aria-live": "polite" }), h("div")];
  const trouble = h("div", { "aria-live": "polite" });
  const counted = h("p.muted.small", { role: "status" });
  const pictures = wall(first.links.images, signal);
  const chosen = filters(first, pictures.show);
  const spread = balance(first);
  fill(
    main,
    h(
      "div.stack.loose",
      h("div.stack", h("p", h("a", { href: "#/datasets" }, "All datasets")), h("h1", h("bdi", first.name)), made, h("div.summary", summary, acts), trouble, files),
      h("section.stack", { "aria-label": "Pictures" }, chosen.element, counted, pictures.element),
      h("div.pair", spread.labels, h("div.stack", spread.from, kept)),
      leftOut(first, signal),
      loading(first),
    ),
  );
  draw(first);
  countImages();

  function draw(dataset) {
    fill(summary, facts([
      ["images", count(dataset.image_count), "kept"],
      ["labels", count(Object.keys(dataset.labels).length)],
      ["size", bytes(dataset.size_bytes)],
    ]));
    fill(made, h("span.badge", FORMATS[dataset.format]), h("span.badge", `${dataset.tier} tier`), h("span.muted", `made ${date(dataset.created_at)}`));
    fill(acts, buttons(dataset));
    fill(kept, keeping(dataset, trouble, again));
    if (dataset.keeping.moving_to) follow();
  }

  /** Reads the statistics, which may have to be made first. */
  function countImages() {
    const read = async () => {
      const { body, retryAfter } = await get(first.links.statistics, signal);
      if (body.progress < 1) {
        counted.textContent = `Counting the pictures: ${percent(body.progress, 1)} %`;
        return retryAfter ?? 1;
      }
      counted.textContent = "";
      chosen.use(body);
      spread.use(body);
      return null;
    };
    poll(signal, read, (error) => (counted.textContent = error ? error.message : ""));
  }

  async function again() {
    draw((await get(path, signal)).body);
  }

  let following = false;
  function follow() {
    if (following) return;
    following = true;
    const read = async () => {
      const { body, changed } = await get(path, signal);
      if (changed) draw(body);
      following = body.keeping.moving_to !== null;
      return following ? MOVING_SECONDS : null;
    };
    poll(signal, read, (error) => fill(trouble, error ? problem(error) : null));
  }

  function buttons(dataset) {
    return [
      action("Download", "primary", trouble, async () => fill(files, links((await get(dataset.links.download, signal)).body))),
      h("a.button", { href: `report#${dataset.id}` }, "Report"),
      h("a.button", { href: `#/jobs/${dataset.id}` }, "Its job"),
      action("Delete", "danger", trouble, async () => {
        if (!(await confirm(`Delete “${dataset.name}”?`, `All ${plural(dataset.image_count, "image")} are deleted. This cannot be undone.`, "Delete the dataset"))) return;
        await change("DELETE", path);
        location.hash = "#/datasets";
      }),
    ];
  }
}
