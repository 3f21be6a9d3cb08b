// Which steps of a job ran when, as bars over time.
import { get } from "../parts/api.js";
import { fill, h } from "../parts/dom.js";
import { count, date, duration, plural } from "../parts/format.js";
import { ENDED, STATES } from "../parts/words.js";

const REST_SECONDS = 10;
const COLUMNS = 60;

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
      noted(found.correlation_id);
      draw(found);
    } catch {
      // it is read again later, and the view says what else is wrong
      if (!signal.aborted) shown = "";
    }
  }

  function draw(found) {
    const tries = new Map();
    for (const step of found.steps) tries.set(step.revision, [...(tries.get(step.revision) ?? []), step]);
    const [last, ...earlier] = [...tries.entries()].reverse();
    element.hidden = false;
    const open = body.querySelector("details")?.open ?? false;
    const hadFocus = body.contains(document.activeElement);
    fill(
      body,
      oneTry(last[1], found),
      earlier.length > 0 ? h("details", { open }, h("summary", plural(earlier.length, "earlier try", "earlier tries")), earlier.map(([number, steps]) => h("div.stack", h("h3", `Try ${number}`), oneTry(steps, found)))) : null,
    );
    if (hadFocus) body.querySelector("summary")?.focus();
  }
}

function oneTry(steps, found) {
  const last = steps.at(-1);
  const ended = ENDED.has(last.state);
  const [began, end] = [seconds(steps[0].began_at), seconds(ended ? last.began_at : found.now)];
  const whole = Math.max(end - began, 0.001);
  const rows = new Map();
  for (const step of ended ? steps.slice(0, -1) : steps) {
    const part = [seconds(step.began_at) - began, seconds(step.ended_at ?? found.now) - began];
    rows.set(step.state, [...(rows.get(step.state) ?? []), part]);
  }
  const items = [...rows].map(([state, parts]) => {
    const lasted = parts.reduce((sum, [from, to]) => sum + to - from, 0);
    const plan = state === "archiving" ? planOf(found.plans, began, end) : null;
    return row(STATES[state]?.[0] ?? state, lasted, parts, whole, state, plan);
  });
  const outcome = ended ? `${STATES[last.state][0]} after ${time(whole)}` : `${STATES[last.state][0]} since ${time(end - seconds(last.began_at))}`;
  return h(
    "div.stack",
    h("p.muted", `Began ${date(steps[0].began_at)}. ${outcome}.`),
    h("ol.spans", items, columns(found, began, end)),
    h("div.line.between.muted.small", { "aria-hidden": "true" }, h("span", "0 s"), h("span", time(whole))),
  );
}

function row(title, lasted, parts, whole, state, note) {
  const track = h("div.track", { role: "img", "aria-label": `${title}: ${parts.map(([from, to]) => `from ${time(from)} to ${time(to)}`).join(", ")}` });
  for (const [from, to] of parts) {
    const span = h(`span.span.${state}`);
    span.style.setProperty("left", `${(100 * from) / whole}%`);
    span.style.setProperty("width", `${(100 * Math.max(to - from, 0)) / whole}%`);
    track.append(span);
  }
  return h("li", h("div.line.between.small", h("span", title, note ? h("span.muted", ` · ${note}`) : null), h("span.number.muted", time(lasted))), track);
}

function planOf(plans, began, end) {
  const plan = plans.findLast((each) => seconds(each.planned_at) >= began && seconds(each.planned_at) <= end + 1);
  if (!plan || plan.slices < 2) return null;
  return `${count(plan.written)} of ${plural(plan.slices, "slice")} written`;
}

/** How many images were judged when: a column for each part of the time. */
function columns(found, began, end) {
  const width = Math.max((end - began) / COLUMNS, found.span_seconds);
  const most = Math.max(1, Math.ceil((end - began) / width));
  const sums = Array.from({ length: most }, () => [0, 0]);
  let [all, highest] = [0, 1];
  for (const each of found.fetched) {
    const at = seconds(each.began_at) + found.span_seconds / 2;
    if (at < began - found.span_seconds || at > end + found.span_seconds) continue;
    const sum = sums[Math.min(most - 1, Math.max(0, Math.floor((at - began) / width)))];
    sum[0] += each.kept;
    sum[1] += each.rejected;
    all += each.kept + each.rejected;
    highest = Math.max(highest, sum[0] + sum[1]);
  }
  if (all === 0) return null;
  const chart = h("div.columns", { role: "img", "aria-label": `${plural(all, "image")} judged, at most ${count(highest)} in ${time(width)}` });
  for (const [kept, refused] of sums) {
    const column = h("div.column", h("span.part.refused"), h("span.part.kept"));
    column.firstChild.style.setProperty("height", `${(100 * refused) / highest}%`);
    column.lastChild.style.setProperty("height", `${(100 * kept) / highest}%`);
    chart.append(column);
  }
  return h("li", h("div.line.between.small", h("span.line", "Images judged", h("span.key.kept", "kept"), h("span.key.refused", "refused")), h("span.number.muted", count(all))), chart);
}

const seconds = (text) => new Date(text).getTime() / 1000;

const time = (number) => (number < 9.95 ? `${Math.max(0, number).toFixed(1)} s` : duration(number));
