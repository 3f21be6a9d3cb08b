// What a job reported, by its correlation id.
import { action, say } from "../parts/actions.js";
import { get } from "../parts/api.js";
import { fill, h } from "../parts/dom.js";
import { plural } from "../parts/format.js";
import { notice } from "../parts/notices.js";

/** The log of a job, which is read when a person asks for it. */
export function jobLog(path, signal) {
  const [id, place] = [h("code"), h("div.stack", { "aria-live": "polite" })];
  const ask = action("Read the log", "", place, read);
  const copy = action("Copy the correlation id", "quiet", place, async () => {
    await navigator.clipboard.writeText(id.textContent);
    say("Copied");
  });
  const element = h(
    "section.card.stack",
    h("h2", "Log"),
    h("p.muted", "What the job reported to the telemetry of the app. An operator finds it by the correlation id ", id, "."),
    h("div.line", ask, copy),
    place,
  );
  return { element, note: (correlationId) => (id.textContent = correlationId) };

  async function read() {
    fill(place, h("p.muted", "Reading …"));
    try {
      const { body } = await get(`${path}/log`, signal);
      fill(place, linesOf(body));
      ask.textContent = "Read it again";
    } catch (error) {
      if (signal.aborted) return;
      if (error.code !== "not_configured") throw error;
      fill(place, notice("other", h("p", h("strong", "This app is not set up to show logs.")), h("p.muted.small", error.message)));
    }
  }
}

function linesOf(log) {
  if (log.lines.length === 0) return h("p.muted", "Nothing was found. What is reported can be read a few minutes later.");
  const notes = [log.truncated ? "Only the newest lines are shown." : null, log.partial ? "The log service could not read all of its data." : null];
  return [h("p.muted.small", plural(log.lines.length, "line"), "; the newest first. ", notes.filter(Boolean).join(" ")), h("ol.log", { tabindex: "0", role: "list", "aria-label": "Lines of the log" }, log.lines.map(line))];
}

function line({ at, kind, level, name, text, duration_ms: lasted }) {
  const bad = ["error", "critical", "warning"].includes(level);
  const moment = at ? new Date(at).toLocaleTimeString("en-GB", { timeZone: "UTC" }) : "";
  return h(
    bad ? "li.bad" : "li",
    h("span.muted.number", moment),
    h("span", bad ? h("strong", `${level} · `) : null, h("span.muted", `${kind} `), h("bdi", name ?? ""), lasted === null ? null : h("span.muted", ` ${Math.round(lasted)} ms`), text ? h("p", h("bdi", text)) : null),
  );
}
