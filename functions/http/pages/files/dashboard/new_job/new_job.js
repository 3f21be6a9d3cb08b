// A new job: a form and its spec as JSON, both ways, with what the spec would do.
import { change } from "../parts/api.js";
import { fill, h } from "../parts/dom.js";
import { problem } from "../parts/notices.js";
import { outlook } from "./outlook.js";
import { SERVICES, SpecForm } from "./spec_form.js";

const TYPING_MS = 500;
const START = {
  labels: {},
  sources: [{ type: "openverse" }],
  max_images_per_label: 100,
  filters: { licenses: null, min_width: 64, min_height: 64 },
  splits: { train: 0.8, val: 0.1, test: 0.1 },
};

export async function showNewJob({ main, signal }) {
  let spec = structuredClone(START);
  let checking = new AbortController();
  let timer = 0;
  let sentAs = "";
  let sendKey = "";
  const json = h("textarea.code", { id: "json", spellcheck: "false", oninput: fromJson });
  const jsonTrouble = h("p.small", { id: "json-trouble", role: "status" });
  const panel = h("div.stack");
  const spoken = h("p.hidden", { role: "status" });
  const trouble = h("div");
  const start = h("button.primary", { type: "submit", disabled: true }, "Start the job");
  const form = new SpecForm(fromForm);
  signal.addEventListener("abort", () => (checking.abort(), clearTimeout(timer)));
  fill(
    main,
    h(
      "form.stack.loose",
      { onsubmit: submit, novalidate: true },
      h("div.stack", h("h1", "New dataset"), h("p.lead", "Name what you want to see. Everything else has a good default.")),
      h(
        "div.workbench",
        form.element,
        h(
          "div.aside",
          h("section.card.stack", { "aria-label": "What the job would do" }, panel, spoken, trouble, start),
          h("section.stack.tight", h("label", { for: "json" }, "The same as JSON"), json, jsonTrouble),
        ),
      ),
    ),
  );
  form.show(spec);
  fromForm(spec);
  askServices();

  function fromForm(next) {
    spec = next;
    json.value = JSON.stringify(next, null, 2);
    jsonState("");
    later();
  }

  function fromJson() {
    let next;
    try {
      next = JSON.parse(json.value);
      if (next === null || typeof next !== "object" || Array.isArray(next)) throw new SyntaxError("A spec is an object.");
    } catch (error) {
      clearTimeout(timer);
      checking.abort();
      start.disabled = true;
      jsonState(error.message);
      return;
    }
    jsonState("");
    spec = next;
    form.show(next);
    later();
  }

  function jsonState(text) {
    jsonTrouble.textContent = text;
    json.setAttribute("aria-invalid", text === "" ? "false" : "true");
  }

  function later() {
    clearTimeout(timer);
    start.disabled = true;
    timer = setTimeout(check, TYPING_MS);
  }

  async function check() {
    checking.abort();
    checking = new AbortController();
    const mine = checking.signal;
    if (isUntouched(spec)) {
      fill(panel, h("h2", "What it would do"), h("p.muted", "Add a label, a list or a website to see how many images there can be, how long it takes and what it costs."));
      return;
    }
    try {
      const answer = await change("POST", "/api/v1/specs/validate", spec, { signal: mine });
      if (mine.aborted) return;
      form.mark([]);
      fill(panel, outlook(answer));
      spoken.textContent = answer.accepted ? "The spec can be submitted." : "The spec would be refused.";
      start.disabled = !answer.accepted;
    } catch (error) {
      if (mine.aborted) return;
      form.mark(error.errors ?? []);
      fill(panel, h("h2", "Not ready yet"), problem(error));
    }
  }

  async function askServices() {
    const probe = { keywords: ["x"], sources: SERVICES.map(({ type }) => ({ type })) };
    const answer = await change("POST", "/api/v1/specs/validate", probe, { signal }).catch(() => null);
    if (answer === null || signal.aborted) return;
    const lacking = answer.sources.filter((source) => source.missing_setting);
    form.markMissing(Object.fromEntries(lacking.map((source) => [source.type, source.missing_setting])));
  }

  async function submit(event) {
    event.preventDefault();
    if (start.disabled) return;
    start.disabled = true;
    const body = JSON.stringify(spec);
    // the same spec sent twice, such as after a broken connection, is one job
    if (body !== sentAs) [sentAs, sendKey] = [body, crypto.randomUUID()];
    try {
      const job = await change("POST", "/api/v1/jobs", body, { headers: { "Idempotency-Key": sendKey } });
      if (!signal.aborted) location.hash = `#/jobs/${job.id}`;
    } catch (error) {
      fill(trouble, problem(error));
      start.disabled = false;
    }
  }
}

function isUntouched(spec) {
  const words = Object.keys(spec.labels ?? {}).length + (spec.keywords?.length ?? 0);
  const others = Array.isArray(spec.sources) && spec.sources.some(({ type }) => !SERVICES.some((service) => service.type === type));
  return words === 0 && !others;
}
