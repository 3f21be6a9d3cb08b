// The list of jobs. Jobs that run show their progress.
import { action, confirm, say } from "../parts/actions.js";
import { change, get } from "../parts/api.js";
import { bar } from "../parts/charts.js";
import { fill, h } from "../parts/dom.js";
import { ago, count } from "../parts/format.js";
import { badge, problem } from "../parts/notices.js";
import { poll } from "../parts/poll.js";
import { ENDED } from "../parts/words.js";

const LIST_SECONDS = 15;
const IDLE_SECONDS = 60;
const MOST_WATCHED = 4;
const BETWEEN_SECONDS = 2;

export async function showJobs({ main, signal }) {
  const list = h("div");
  const trouble = h("div", { "aria-live": "polite" });
  const rows = new Map();
  const watched = new Set();
  let path = "/api/v1/jobs?limit=20";
  let order = "";
  const first = await get(path, signal);
  if (signal.aborted) return;
  fill(main, h("div.stack.loose", h("div.line.between", h("h1", "Jobs"), h("a.button.primary", { href: "#/new" }, "New dataset")), trouble, list));
  draw(first.body);
  let isFirst = true;
  poll(
    signal,
    async () => {
      const { body, changed } = isFirst ? first : await get(path, signal);
      if (changed && !isFirst) draw(body);
      isFirst = false;
      return body.items.some((job) => !ENDED.has(job.state)) ? LIST_SECONDS : IDLE_SECONDS;
    },
    (error) => fill(trouble, error ? problem(error) : null),
  );

  function draw(page) {
    const ids = page.items.map((job) => job.id);
    for (const id of rows.keys()) if (!ids.includes(id)) rows.delete(id);
    for (const job of page.items) {
      const row = rows.get(job.id) ?? rowOf(job);
      rows.set(job.id, row);
      row.update(job);
      if (!ENDED.has(job.state)) watch(row, job);
    }
    const now = `${ids} ${page.next}`;
    if (now === order) return;
    order = now;
    const items = ids.map((id) => rows.get(id).element);
    fill(list, ids.length === 0 ? empty() : h("ul.rows", items), page.next ? older(page.next) : null);
  }

  function older(next) {
    const open = async () => {
      const answer = await get(next, signal);
      path = next;
      draw(answer.body);
      main.querySelector("h1").focus();
    };
    return h("p", action("Older jobs", "", trouble, open));
  }

  function watch(row, job) {
    if (watched.has(job.id) || watched.size >= MOST_WATCHED) return;
    watched.add(job.id);
    const read = async () => {
      if (!rows.has(job.id)) return null;
      const { body, retryAfter, changed } = await get(job.links.self, signal);
      if (changed) row.update(body);
      // however many jobs are watched, the page makes some thirty calls a minute
      return ENDED.has(body.state) ? null : Math.max(retryAfter ?? LIST_SECONDS, BETWEEN_SECONDS * watched.size);
    };
    poll(signal, read, () => {}).finally(() => watched.delete(job.id));
  }

  function rowOf(job) {
    const state = h("span");
    const when = h("span.muted.small");
    const progress = h("div.whole");
    const acts = h("div.acts");
    const name = h("a.name", { href: `#/jobs/${job.id}` }, h("bdi", job.name));
    const element = h("li.row", h("div.stack.tight", name, h("div.line", state, when)), acts, progress);
    let shownState;
    return { element, update };

    function update(now) {
      if (now.state !== shownState) {
        shownState = now.state;
        fill(state, badge(now.state));
        fill(acts, buttons(now));
        if (ENDED.has(now.state)) fill(progress);
      }
      when.textContent = ago(now.created_at);
      if (now.progress && !ENDED.has(now.state)) fill(progress, progressOf(now));
    }

    function buttons(now) {
      const named = (text, kind, act) => {
        const button = action(text, kind, trouble, act);
        button.append(h("span.hidden", ` ${now.name}`));
        return button;
      };
      const reload = async () => {
        const { body } = await get(job.links.self, signal);
        update(body);
        watch(rows.get(job.id), body);
      };
      if (!ENDED.has(now.state)) {
        return named("Cancel", "", async () => {
          await change("POST", `${now.links.self}/cancel`);
          await reload();
        });
      }
      const retry = named("Retry", "", async () => {
        await change("POST", `${now.links.self}/retry`);
        await reload();
      });
      const remove = named("Delete", "danger", async () => {
        if (!(await confirm(`Delete “${now.name}”?`, "The job and its working files are deleted. Its dataset stays.", "Delete the job"))) return;
        await change("DELETE", now.links.self);
        rows.delete(job.id);
        element.remove();
        say("The job is deleted.");
        main.querySelector("h1").focus();
      });
      return [now.links.dataset ? h("a.button", { href: `#/datasets/${now.id}` }, "Open the dataset", h("span.hidden", ` of ${now.name}`)) : retry, remove];
    }
  }
}

function progressOf(job) {
  const { found, kept, rejected } = job.progress;
  const words = `${count(kept)} kept, ${count(rejected)} refused, of ${count(found)} found`;
  return h("div.stack.tight", bar([["kept", kept], ["refused", rejected], ["rest", found - kept - rejected]], found, words, true), h("p.muted.small.number", words));
}

function empty() {
  return h(
    "div.empty.stack",
    h("h2", "No dataset yet"),
    h("p.muted", "Name a few things that you want to see. The rest has good defaults."),
    h("p", h("a.button.primary", { href: "#/new" }, "Make the first dataset")),
  );
}
