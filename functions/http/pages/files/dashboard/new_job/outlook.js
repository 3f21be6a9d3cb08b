// What a spec would do, and what that costs.
import { h } from "../parts/dom.js";
import { bytes, count, duration, money } from "../parts/format.js";
import { facts, notice, problem } from "../parts/notices.js";

export function outlook(answer) {
  const { estimate, allowance } = answer;
  const found = [h("h2", answer.accepted ? "What it would do" : "It would be refused")];
  if (answer.refusals.length > 0) found.push(answer.refusals.map((each) => problem({ message: each.detail, errors: each.errors })));
  const images = estimate?.images ?? answer.images_max;
  found.push(
    facts([
      ["images at most", images === null ? "unknown" : count(images)],
      estimate ? ["until it is ready, about", duration(estimate.duration_seconds.amount)] : null,
      estimate ? ["size, about", bytes(estimate.size_bytes.amount)] : null,
      estimate ? ["the job costs", money(estimate.job_cost, estimate.prices.currency)] : null,
      estimate ? ["a month of storage", money(estimate.storage_gb_month.cost, estimate.prices.currency)] : null,
    ]),
  );
  if (allowance?.limited_by_tier) found.push(notice("other", `Your tier allows ${count(allowance.images_max)} images for this job.`));
  if (allowance) found.push(h("p.muted.small", `${count(allowance.images_left_this_month)} images are left this month, and ${count(allowance.jobs_left)} jobs at once.`));
  const warnings = answer.warnings.map((each) => h("li", h("strong", each.field), ` ${each.message}`));
  if (warnings.length > 0) found.push(notice("other", h("ul.stack.tight", warnings)));
  if (estimate) found.push(assumptions(estimate));
  return found;
}

function assumptions(estimate) {
  const items = [
    ["Time", estimate.duration_seconds],
    ["Size", estimate.size_bytes],
    ["Storage", estimate.storage_gb_month],
    ["A download", estimate.download_gb],
  ].map(([name, item]) => h("li", h("strong", name), item.cost === null ? "" : ` ${money(item.cost, estimate.prices.currency)}`, `: ${item.assumption}`));
  const basis = `Prices of ${estimate.prices.region}, ${estimate.prices.date}.`;
  return h("details.small", h("summary", "What this assumes"), h("ul.stack.tight.muted", items, h("li", basis)));
}
