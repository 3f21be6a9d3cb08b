// Reports on what the service does, out of its telemetry.
import { action } from "../parts/actions.js";
import { get } from "../parts/api.js";
import { fill, h } from "../parts/dom.js";
import { notice, problem } from "../parts/notices.js";
import { DRAWN } from "./reports.js";

const AT_ONCE = 3;
const SPANS = [[24, "24 hours"], [72, "3 days"], [168, "7 days"], [720, "30 days"]];

export async function showInsights({ main, signal }) {
  const { body } = await get("/api/v1/insights", signal);
  if (signal.aborted) return;
  if (body.notice) {
    fill(main, h("div.stack.loose", h("h1", "Insights"), setUp(body.notice)));
    return;
  }
  const choice = h("select", { id: "span", onchange: () => load() }, SPANS.map(([hours, text]) => h("option", { value: hours }, text)));
  const place = h("div.stack.loose");
  const status = h("p.hidden", { role: "status" });
  const order = Object.keys(DRAWN);
  const reports = body.items.filter(({ name }) => name in DRAWN).sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name));
  fill(main, h("div.stack.loose", h("div.line.between", h("h1", "Insights"), h("div.field", h("label.hidden", { for: "span" }, "The last"), choice)), status, place));
  let reading = new AbortController();
  signal.addEventListener("abort", () => reading.abort());
  load();

  async function load() {
    reading.abort();
    reading = new AbortController();
    const mine = reading.signal;
    const cards = reports.map((report) => ({ report, body: h("div.stack", h("p.muted", "Loading …")) }));
    fill(place, h("div.pair", cards.map((card) => h("section.card.stack", h("h2", card.report.title), h("p.muted.small", card.report.description), card.body))));
    // one report shows whether there are any
    const isSetUp = await draw(cards[0], mine);
    if (mine.aborted || !isSetUp) return;
    const rest = cards.slice(1);
    const next = async () => {
      for (let card = rest.shift(); card && !mine.aborted; card = rest.shift()) await draw(card, mine);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, next));
    if (!mine.aborted) status.textContent = "All reports are shown.";
  }

  async function draw(card, mine) {
    try {
      const { body: report } = await get(`${card.report.links.self}?hours=${choice.value}`, mine);
      if (mine.aborted) return true;
      const nothing = h("p.muted", "Nothing happened in this time.");
      fill(card.body, report.notice ? notice("other", h("p", report.notice)) : null, report.rows.length > 0 ? DRAWN[report.name](report) : nothing);
    } catch (error) {
      if (mine.aborted) return true;
      if (error.code === "not_configured") {
        fill(place, setUp(error.message));
        return false;
      }
      const again = action("Try again", "", card.body, () => draw(card, mine));
      fill(card.body, problem(error), h("div", again));
    }
    return true;
  }
}

function setUp(message) {
  return h(
    "div.empty.stack",
    h("h2", "No telemetry to read"),
    h("p.muted", message),
    h("p.muted", "The app also needs the role Log Analytics Reader there. A deployment with azd does both."),
  );
}
