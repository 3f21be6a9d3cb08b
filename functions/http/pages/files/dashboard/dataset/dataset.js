// One dataset: what it has, what it costs, how to get it and how to load it.
import { action, confirm, copyable } from "../parts/actions.js";
import { change, get } from "../parts/api.js";
import { labelBars, shares } from "../parts/bars.js";
import { fill, h, outside } from "../parts/dom.js";
import { bytes, count, date, money, plural } from "../parts/format.js";
import { facts, notice, problem } from "../parts/notices.js";
import { poll } from "../parts/poll.js";
import { rehydration } from "./rehydrate.js";
import { wall } from "./wall.js";

const MOVING_SECONDS = 30;

export async function showDataset({ main, signal, id }) {
  const path = `/api/v1/datasets/${id}`;
  const { body: first } = await get(path, signal);
  if (signal.aborted) return;
  document.title = `${first.name} · PixCrawler`;
  const [summary, acts, files, keeping] = [h("div.stack"), h("div.line"), h("div", { "aria-live": "polite" }), h("div")];
  const trouble = h("div", { "aria-live": "polite" });
  fill(
    main,
    h(
      "div.stack.loose",
      h("div.stack", h("p", h("a", { href: "#/datasets" }, "All datasets")), h("h1", h("bdi", first.name)), summary, acts, trouble, files),
      wall(`${path}/images`, signal, { label: Object.keys(first.labels), split: Object.keys(first.splits) }),
      h("div.pair", balance(first), h("div.stack", splits(first), keeping)),
      loading(first),
    ),
  );
  draw(first);

  function draw(dataset) {
    fill(summary, facts([
      ["images", count(dataset.image_count), "kept"],
      ["labels", count(Object.keys(dataset.labels).length)],
      ["size", bytes(dataset.size_bytes)],
    ]), h("div.line", h("span.badge", `${dataset.tier} tier`), h("span.muted", `made ${date(dataset.created_at)}`)));
    fill(acts, buttons(dataset));
    fill(keeping, kept(dataset));
    if (dataset.keeping.moving_to) follow();
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
    const found = [
      action("Download", "primary", trouble, async () => fill(files, links((await get(dataset.links.download, signal)).body))),
      h("a.button", { href: `#/jobs/${dataset.id}` }, "Its job"),
    ];
    if (dataset.links.rehydrate && !dataset.keeping.moving_to) {
      found.push(action("Bring it online", "", trouble, async () => {
        const wanted = await rehydration(dataset);
        if (wanted) draw({ ...dataset, ...(await change("POST", dataset.links.rehydrate, wanted)) });
      }));
    }
    found.push(action("Delete", "danger", trouble, async () => {
      if (!(await confirm(`Delete “${dataset.name}”?`, `All ${plural(dataset.image_count, "image")} are deleted. This cannot be taken back.`, "Delete the dataset"))) return;
      await change("DELETE", path);
      location.hash = "#/datasets";
    }));
    return found;
  }
}

function links(download) {
  const items = [...download.files, ...(download.records ? [download.records] : [])].map((file) =>
    h("li.line.between", file.url ? outside(file.filename, file.url) : h("span", file.filename), h("span.muted.number", bytes(file.size_bytes))),
  );
  const until = h("p.muted.small", `The links work until ${date(download.expires_at)}.`);
  const sum = download.sha256 ? h("p.small", "SHA-256 ", h("code", download.sha256)) : null;
  return h("section.card.stack", { "aria-label": "Download" }, download.notice ? notice("other", h("p", download.notice)) : until, h("ul.stack.tight", items), sum);
}

function balance(dataset) {
  return h("section.card.stack", h("h2", "Labels"), labelBars(dataset.labels, false));
}

function splits(dataset) {
  return h("section.card.stack", h("h2", "Splits"), shares(Object.entries(dataset.splits), "Images of the splits"));
}

function kept({ keeping, costs }) {
  const { currency } = costs.prices;
  const found = [
    facts([
      ["a month of storage", money(costs.storage_month, currency)],
      ["one download", money(costs.download, currency)],
      costs.early_deletion > 0 ? ["extra to leave the tier now", money(costs.early_deletion, currency)] : null,
    ]),
  ];
  if (keeping.moving_to) found.push(notice("other", h("p", `On its way to the ${keeping.moving_to} tier.`), ready(keeping.rehydration)));
  if (keeping.online_until) found.push(h("p", `Stays online until ${date(keeping.online_until)} at least.`));
  if (keeping.legal_hold) found.push(notice("other", h("p", "Under legal hold: it cannot be deleted.")));
  if (keeping.retention_days) found.push(h("p", `Deleted ${plural(keeping.retention_days, "day")} after its last use.`));
  return h("section.card.stack", h("h2", "Keeping it"), found, h("p.muted.small", `Prices of ${costs.prices.region}, ${costs.prices.date}.`));
}

function ready(rehydration) {
  if (!rehydration?.files) return null;
  return h("p.muted", `${count(rehydration.ready_files)} of ${plural(rehydration.files.length, "file")} are ready.`);
}

function loading(dataset) {
  const zip = ["import datasets", "", "# the folder where you unpacked the ZIP", 'data = datasets.load_dataset("path/to/folder")', 'print(data["train"][0]["label"])'];
  const tar = ["import webdataset", "", 'data = webdataset.WebDataset("path/to/shard.tar").decode("pil")', "print(next(iter(data)).keys())"];
  return h("section.card.stack", h("h2", "Load it"), h("p.muted", "Download it, then:"), copyable((dataset.format === "webdataset" ? tar : zip).join("\n")));
}
