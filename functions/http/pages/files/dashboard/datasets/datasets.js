// The list of datasets.
import { action } from "../parts/actions.js";
import { get } from "../parts/api.js";
import { fill, h } from "../parts/dom.js";
import { ago, bytes, plural } from "../parts/format.js";

export async function showDatasets({ main, signal }) {
  const { body } = await get("/api/v1/datasets?limit=20", signal);
  if (signal.aborted) return;
  const rows = h("ul.rows");
  const more = h("p");
  const trouble = h("div");
  fill(main, h("div.stack.loose", h("h1", "Datasets"), body.items.length > 0 ? rows : empty(), trouble, more));
  add(body);

  function add(page) {
    rows.append(...page.items.map(row));
    fill(more, page.next ? action("Older datasets", "", trouble, async () => add((await get(page.next, signal)).body)) : null);
  }
}

function row(dataset) {
  const labels = Object.keys(dataset.labels);
  const named = labels.slice(0, 6).join(", ") + (labels.length > 6 ? ` and ${labels.length - 6} more` : "");
  const about = `${plural(dataset.image_count, "image")} · ${bytes(dataset.size_bytes)} · ${ago(dataset.created_at)}`;
  return h(
    "li.row",
    h("div.stack.tight", h("a.name", { href: `#/datasets/${dataset.id}` }, h("bdi", dataset.name)), h("p.muted.small.number", about), h("p.small", h("bdi", named))),
    h("span.badge", `${dataset.tier} tier`),
  );
}

function empty() {
  return h("div.empty.stack", h("h2", "No dataset yet"), h("p.muted", "A dataset is here when its job has completed."), h("p", h("a.button.primary", { href: "#/new" }, "New dataset")));
}
