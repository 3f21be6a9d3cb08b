// What the next nightly run will do with unused datasets.
import { get } from "../parts/api.js";
import { ranking } from "../parts/charts.js";
import { fill, h } from "../parts/dom.js";
import { ago, bytes, count, money, plural } from "../parts/format.js";
import { pagedList } from "../parts/lists.js";
import { facts, notice } from "../parts/notices.js";
import { adminPage } from "./page.js";

const day = (text) => new Date(`${text}T00:00Z`).toLocaleDateString("en", { dateStyle: "full", timeZone: "UTC" });
const describe = ({ action: kind, origin, target }) => (kind === "delete" ? `Deleted from ${origin}` : `From ${origin} to ${target}`);

export async function showPlan({ main, signal }) {
  const { body: plan } = await get("/api/v1/lifecycle/plan", signal);
  if (signal.aborted) return;
  const list = () => pagedList(plan, (step) => row(step, plan.prices.currency), "More datasets", signal);
  const datasets = plan.items.length > 0 ? h("section.stack", h("h2", "Datasets"), list()) : null;
  fill(main, adminPage("Nightly run", null, totals(plan), datasets, last(plan.last_run)));
}

function totals({ date, totals: all, prices }) {
  const steps = all.steps.map((step) => ({
    name: describe(step),
    value: plural(step.datasets, "dataset"),
    parts: [[step.action === "delete" ? "refused" : "accent", step.size_bytes]],
    more: `${bytes(step.size_bytes)}, saves ${money(step.saving_month, prices.currency)} a month`,
  }));
  const due = steps.length > 0 ? ranking(steps) : h("p.muted", "No dataset is due: nothing moves, and nothing is deleted.");
  return h(
    "section.card.stack",
    h("h2", day(date)),
    facts([
      ["datasets in all", count(all.datasets)],
      ["saved each month", money(all.saving_month, prices.currency), "kept"],
      ["the run costs", money(all.cost, prices.currency)],
    ]),
    all.complete ? null : notice("other", h("p", "There are so many datasets that these numbers are not complete.")),
    all.unreadable > 0 ? notice("bad", h("p", `${plural(all.unreadable, "dataset")} cannot be read.`)) : null,
    due,
  );
}

function row(step, currency) {
  const about = `${bytes(step.size_bytes)} · not used for ${plural(step.age_days, "day")} · saves ${money(step.saving_month, currency)} a month`;
  const badge = h(step.action === "delete" ? "span.badge.bad" : "span.badge", describe(step));
  return h("li.row", h("div.stack.tight", h("strong", h("bdi", step.name)), h("p.muted.small.number", about), h("p.small", "of user ", h("a", { href: `#/admin/users/${step.user_id}` }, step.user_id))), badge);
}

function last(run) {
  if (!run) return h("p.muted", "There was no run today or yesterday.");
  const when = run.finished_at ? `ended ${ago(run.finished_at)}` : `runs since ${ago(run.started_at)}`;
  const counts = ["seen", "moved", "deleted", "failed"].map((name) => [name, count(run[name])]);
  return h("section.card.stack", h("h2", "The last run"), h("p.muted", `${day(run.date)}, ${when}`), facts(counts));
}
