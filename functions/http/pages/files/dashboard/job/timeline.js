// Which steps of a job ran when, as bars over time.
import { get } from "../parts/api.js";
import { columns, keys, spans } from "../parts/charts.js";
import { fill, h } from "../parts/dom.js";
import { count, date, duration, plural } from "../parts/format.js";
import { ENDED, STATES } from "../parts/words.js";

const REST_SECONDS = 15;

/** The timeline of a job. `see` is called with the job whenever it was read, and reads the timeline now and then. */
export function timeline(path, signal, noted) {
  const body = h("div.stack");
  const element = h("section.card.stack", { hidden: true }, h("h2", "Timeline"), body);
  let [shown, readAt] = ["", -Infinity];
  return { element, see };

  async function see(job) {
    const now = `${job.revision} ${job.state}`;
    const rests = ENDED.has(job.state) || performance.now() - readAt < 1000 * REST_SECONDS;
    if (now === shown && rests) return;
    [shown, readAt] = [now, performance.now()];
    try {
      const { body: found } = await get(`${path}/timeline`, signal);
      if (now !== shown) return;
      noted(found.correlation_id);
      draw(found);
    } catch {
      // it is read again later, and the view says what else is wrong
      if (now === shown) shown = "";
    }
  }

  function draw(found) {
    const tries = Map.groupBy(found.steps, ({ revision }) => revision);
    const [[, last], ...earlier] = [...tries].reverse();
    const before = body.querySelector("summary");
    const [open, hadFocus] = [before?.parentElement.open, before === document.activeElement];
    const summary = h("summary", plural(earlier.length, "earlier try", "earlier tries"));
    const others = earlier.map(([number, steps]) => h("div.stack", h("h3", `Try ${number}`), oneTry(steps, found)));
    fill(body, oneTry(last, found), earlier.length > 0 ? h("details", { open }, summary, others) : null);
    if (before && hadFocus) summary.focus();
    element.hidden = false;
  }
}

function oneTry(steps, found) {
  const last = steps.at(-1);
  const ended = ENDED.has(last.state);
  const [began, end] = [Date.parse(steps[0].began_at), Date.parse(ended ? last.began_at : found.now)];
  const whole = Math.max(end - began, 1);
  const running = steps.filter(({ state }) => !ENDED.has(state));
  const rows = [...Map.groupBy(running, ({ state }) => state)].map(([state, own]) => {
    const parts = own.map((step) => [Date.parse(step.began_at) - began, Date.parse(step.ended_at ?? found.now) - began]);
    return row(state, parts, whole, state === "archiving" ? slices(found.plans, began, end) : "");
  });
  const [title] = STATES[last.state];
  const outcome = ended ? `${title} after ${time(whole)}` : `${title} for ${time(end - Date.parse(last.began_at))}`;
  return h("div.stack", h("p.muted", `Began ${date(steps[0].began_at)}. ${outcome}.`), h("ol.spans", rows), judged(found, began, end));
}

function row(state, parts, whole, note) {
  const [title] = STATES[state];
  const words = parts.map(([from, to]) => `from ${time(from)} to ${time(to)}`).join(", ");
  const track = h("div.track", { role: "img", "aria-label": `${title}: ${words}` });
  for (const [from, to] of parts) {
    const span = h(`span.${state}`);
    span.style.setProperty("left", `${(100 * from) / whole}%`);
    span.style.setProperty("width", `${(100 * (to - from)) / whole}%`);
    track.append(span);
  }
  const lasted = parts.reduce((sum, [from, to]) => sum + to - from, 0);
  return h("li", h("div.line.between.small", h("span", title, note), h("span.number.muted", time(lasted))), track);
}

/** How far the dataset of a try is written, if it has several slices. */
function slices(plans, began, end) {
  const plan = plans.findLast(({ planned_at: at }) => Date.parse(at) >= began && Date.parse(at) <= end);
  return plan?.slices > 1 ? `: ${count(plan.written)} of ${count(plan.slices)} slices` : "";
}

/** How many images were judged when. */
function judged(found, began, end) {
  const step = 1000 * found.span_seconds;
  const start = Math.floor(began / step) * step;
  const sum = (rows, name) => rows.reduce((all, each) => all + each[name], 0);
  const rows = found.fetched.filter(({ began_at: at }) => Date.parse(at) >= start && Date.parse(at) <= end);
  if (rows.length === 0) return null;
  const entries = spans(rows, "began_at", { start, end: end + 1, step }).map(({ at, rows: own }) => ({ at, parts: [["kept", sum(own, "kept")], ["refused", sum(own, "rejected")]] }));
  const words = `${plural(sum(rows, "kept") + sum(rows, "rejected"), "image")} judged`;
  return h("div.stack", h("div.line.small", words, keys([["kept", "kept"], ["refused", "refused"]])), columns(entries, words, count));
}

const time = (ms) => (ms < 9950 ? `${(ms / 1000).toFixed(1)} s` : duration(ms / 1000));
