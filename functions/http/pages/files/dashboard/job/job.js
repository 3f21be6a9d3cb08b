// One job, live: its pictures, what was found, kept and refused, and why, when its steps ran, and what it reported.
import { action, confirm } from "../parts/actions.js";
import { change, get } from "../parts/api.js";
import { bar, labelBars } from "../parts/charts.js";
import { fill, h } from "../parts/dom.js";
import { ago, count, duration } from "../parts/format.js";
import { badge, facts, notice, problem } from "../parts/notices.js";
import { poll } from "../parts/poll.js";
import { ENDED, FAILURES, STATES } from "../parts/words.js";
import { latestPictures } from "./latest.js";
import { jobLog } from "./log.js";
import { refusals } from "./refusals.js";
import { Speed } from "./speed.js";
import { timeline } from "./timeline.js";

export async function showJob({ main, signal, id }) {
  const path = `/api/v1/jobs/${id}`;
  const { body: first, retryAfter } = await get(path, signal);
  if (signal.aborted) return;
  const [state, acts, numbers, end, named, wrong] = [h("div.line"), h("div.line"), h("section.stack", { "aria-label": "Progress" }), h("div"), h("div"), h("div")];
  const log = jobLog(path, signal);
  const parts = [latestPictures(path, signal), refusals(path, signal), timeline(path, signal, log.note)];
  const [pictures, refused, steps] = parts.map(({ element }) => element);
  const trouble = h("div", { "aria-live": "polite" });
  const spoken = h("p.hidden", { role: "status" });
  const speed = new Speed();
  let shownActions = "";
  let watching = false;
  document.title = `${first.name} · PixCrawler`;
  fill(
    main,
    h(
      "div.stack.loose",
      h("div.stack", h("p", h("a", { href: "#/jobs" }, "All jobs")), h("h1", h("bdi", first.name)), state, acts, trouble),
      end,
      pictures,
      numbers,
      h("div.pair", h("div.stack", named, wrong), refused),
      steps,
      log.element,
      spoken,
    ),
  );
  draw(first);
  watch(ENDED.has(first.state) ? null : (retryAfter ?? 2));

  function watch(seconds) {
    if (seconds === null || watching) return;
    watching = true;
    let wait = seconds;
    const read = async () => {
      if (wait !== null) {
        const before = wait;
        wait = null;
        return before;
      }
      const { body, retryAfter: next, changed } = await get(path, signal);
      if (changed) draw(body);
      else parts.forEach((part) => part.see(body));
      return ENDED.has(body.state) ? null : (next ?? 10);
    };
    poll(signal, read, (error) => fill(trouble, error ? problem(error) : null)).finally(() => (watching = false));
  }

  function draw(job) {
    speed.see(job);
    if (state.dataset.state !== job.state) {
      state.dataset.state = job.state;
      spoken.textContent = `${job.name}: ${STATES[job.state]?.[0] ?? job.state}`;
    }
    fill(state, badge(job.state), h("span.muted", `started ${ago(job.created_at)}`), job.revision > 1 ? h("span.muted", `try ${job.revision}`) : null);
    fill(numbers, progressOf(job, speed));
    fill(end, ending(job));
    fill(named, labels(job));
    fill(wrong, problems(job));
    parts.forEach((part) => part.see(job));
    const now = `${Object.keys(job.links)} ${job.state}`;
    if (now !== shownActions) fill(acts, buttons(job));
    shownActions = now;
  }

  function buttons(job) {
    const again = async () => {
      const { body } = await get(path, signal);
      draw(body);
      if (!ENDED.has(body.state)) watch(2);
    };
    const found = [];
    if (job.links.dataset) found.push(h("a.button.primary", { href: `#/datasets/${job.id}` }, "Open the dataset"));
    if (job.links.cancel) {
      found.push(action("Cancel", "", trouble, async () => (await change("POST", job.links.cancel), await again())));
    }
    if (job.links.retry) {
      found.push(action("Retry", "", trouble, async () => (await change("POST", job.links.retry), await again())));
    }
    if (ENDED.has(job.state)) {
      found.push(
        action("Delete", "danger", trouble, async () => {
          if (!(await confirm(`Delete “${job.name}”?`, "The job and its working files are deleted. Its dataset stays.", "Delete the job"))) return;
          await change("DELETE", job.links.self);
          location.hash = "#/jobs";
        }),
      );
    }
    return found;
  }
}

function progressOf(job, speed) {
  const { found, kept, rejected } = job.progress;
  const rest = found - kept - rejected;
  const live = !ENDED.has(job.state);
  const { perSecond, secondsLeft } = speed.estimate(rest);
  const words = `${count(kept)} kept, ${count(rejected)} refused, ${count(rest)} not fetched yet`;
  return [
    facts(
      [
        ["kept", count(kept), "kept"],
        ["refused", count(rejected), "refused"],
        ["found", count(found)],
        live && perSecond ? ["images a second", perSecond.toFixed(perSecond < 10 ? 1 : 0)] : null,
        live && secondsLeft ? ["left of what is found", duration(secondsLeft)] : null,
      ],
      true,
    ),
    bar([["kept", kept], ["refused", rejected], ["rest", rest]], found, words),
    job.notice ? notice("other", h("p", job.notice)) : null,
  ];
}

function ending(job) {
  if (!job.error) return null;
  return notice("bad", h("p", h("strong", job.error.detail)), h("p.muted", FAILURES[job.error.code] ?? ""));
}

function labels(job) {
  if (Object.keys(job.labels).length === 0) return null;
  return h("section.card.stack", h("h2", "Labels"), labelBars(job.labels, !ENDED.has(job.state)));
}

function problems(job) {
  if (job.problem_count === 0) return null;
  const more = job.problem_count - job.problems.length;
  return h(
    "section.card.stack",
    h("h2", "Problems"),
    h("p.muted", "These did not stop the job."),
    h("ul.stack.tight", job.problems.map((text) => h("li", text))),
    more > 0 ? h("p.muted", `and ${count(more)} more`) : null,
  );
}
