// The health of the app and its parts.
import { health } from "../parts/api.js";
import { ranking } from "../parts/charts.js";
import { fill, h } from "../parts/dom.js";
import { ago, count } from "../parts/format.js";
import { problem } from "../parts/notices.js";
import { pause, poll } from "../parts/poll.js";
import { adminPage } from "./page.js";

const AGAIN_SECONDS = 30;
const VERDICTS = { healthy: ["Works", "good"], degraded: ["Works, with a problem", "other"], unhealthy: ["Does not work", "bad"] };

export async function showHealth({ main, signal }) {
  const place = h("div.stack.loose");
  const trouble = h("div", { "aria-live": "polite" });
  const spoken = h("p.hidden", { role: "status" });
  fill(main, adminPage("Health", spoken, trouble, place));
  const read = async () => {
    const answer = await health(signal);
    fill(place, shown(answer));
    spoken.textContent = `The app: ${verdict(answer.status)[0]}`;
    return AGAIN_SECONDS;
  };
  await read();
  pause(AGAIN_SECONDS, signal).then(() => poll(signal, read, (error) => fill(trouble, error ? problem(error) : null)));
}

const verdict = (status) => VERDICTS[status] ?? [status, ""];

function badge(status) {
  const [text, tone] = verdict(status);
  return h(`span.badge${tone ? `.${tone}` : ""}`, text);
}

function shown({ status, version, environment, platform, checks }) {
  const where = [platform.service, platform.plan, platform.region].filter(Boolean).join(", ");
  return [
    h("div.line", badge(status), h("span.muted", `Version ${version}, ${environment}, ${where}`)),
    h("ul.pair", Object.entries(checks).map(([name, check]) => part(name, check))),
    queues(checks.queues?.facts ?? {}),
  ];
}

function part(name, { status, latency_ms, detail, facts }) {
  const about = name === "application_insights" ? telemetry(facts) : `answered in ${count(Math.round(latency_ms))} ms`;
  return h("li.row", h("div.stack.tight", h("strong", name[0].toUpperCase() + name.slice(1).replaceAll("_", " ")), detail ? h("p.small", detail) : null, h("p.muted.small.number", about)), badge(status));
}

function telemetry(facts) {
  if (!facts.configured) return "not set up";
  const last = facts.last_success ? `last arrived ${ago(facts.last_success)}` : "nothing has arrived yet";
  return `${last}, ${count(facts.backlog)} waiting, ${count(facts.dropped)} dropped`;
}

function queues(facts) {
  const names = Object.keys(facts).filter((name) => !name.endsWith("-poison"));
  const entries = names.map((name) => {
    const [waiting, failed] = [facts[name], facts[`${name}-poison`] ?? 0];
    return { name, value: `${count(waiting)} waiting${failed > 0 ? `, ${count(failed)} failed for good` : ""}`, parts: [["accent", waiting], ["refused", failed]] };
  });
  return entries.length > 0 ? h("section.card.stack", h("h2", "Messages"), ranking(entries)) : null;
}
