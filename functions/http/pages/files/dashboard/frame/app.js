// The frame of the page: the menu, and which view an address shows. Addresses never contain a key.
import { say } from "../parts/actions.js";
import { forget } from "../parts/api.js";
import { fill, h } from "../parts/dom.js";
import { notice, problem } from "../parts/notices.js";
import { session } from "../parts/session.js";
import { resume, showSignIn } from "./sign_in.js";

// a view is loaded when it is shown first: its pattern, title, module, and the scope that it needs
const VIEWS = [
  [/^#\/jobs$/, "Jobs", async () => (await import("../jobs/jobs.js")).showJobs],
  [/^#\/jobs\/([\w-]+)$/, "Job", async () => (await import("../job/job.js")).showJob],
  [/^#\/new$/, "New dataset", async () => (await import("../new_job/new_job.js")).showNewJob],
  [/^#\/datasets$/, "Datasets", async () => (await import("../datasets/datasets.js")).showDatasets],
  [/^#\/datasets\/([\w-]+)$/, "Dataset", async () => (await import("../dataset/dataset.js")).showDataset],
  [/^#\/insights$/, "Insights", async () => (await import("../insights/insights.js")).showInsights, "admin"],
  [/^#\/admin$/, "Health", async () => (await import("../admin/health.js")).showHealth, "admin"],
  [/^#\/admin\/users$/, "Users", async () => (await import("../admin/users.js")).showUsers, "admin"],
  [/^#\/admin\/users\/([\w-]+)$/, "User", async () => (await import("../admin/user.js")).showUser, "admin"],
  [/^#\/admin\/plan$/, "Nightly run", async () => (await import("../admin/plan.js")).showPlan, "admin"],
  [/^#\/admin\/audit$/, "Audit trail", async () => (await import("../admin/audit.js")).showAudit, "admin"],
  [/^#\/profile$/, "Profile and keys", async () => (await import("../profile/profile.js")).showProfile],
];
const MENU = [
  ["Jobs", "#/jobs"],
  ["Datasets", "#/datasets"],
  ["Insights", "#/insights", "admin"],
  ["Admin", "#/admin", "admin"],
  ["Profile", "#/profile"],
];
const main = document.getElementById("main");
let shown = new AbortController();
// why the page asks for a sign-in, if it was signed in before
let why = "";

async function show() {
  shown.abort();
  shown = new AbortController();
  const { signal } = shown;
  for (const open of document.querySelectorAll("dialog")) open.close();
  if (!session.active) {
    frame("");
    document.title = "Sign in · PixCrawler";
    showSignIn(main, signal, why, enter);
    why = "";
    return;
  }
  const place = location.hash;
  const view = VIEWS.find(([pattern, , , scope]) => pattern.test(place) && (!scope || session.may(scope)));
  if (!view) {
    location.replace("#/jobs");
    return;
  }
  const [pattern, title, load] = view;
  frame(place);
  document.title = `${title} · PixCrawler`;
  fill(main, h("p.muted", "Loading …"));
  try {
    const render = await load().catch(replaced);
    if (signal.aborted) return;
    await render({ main, signal, id: pattern.exec(place)[1] ?? "" });
  } catch (error) {
    if (!signal.aborted) fill(main, h("h1", title), problem(error));
  }
  if (signal.aborted) return;
  scrollTo(0, 0);
  focusHeading();
}

/** A module is only served as long as its version of the app runs. */
function replaced() {
  return ({ main }) => {
    const again = h("button.primary", { type: "button", onclick: () => location.reload() }, "Load the page again");
    fill(main, notice("other", h("h1", "There is a new version"), h("p", "This part of the page could not be loaded.")), h("p", again));
  };
}

function focusHeading() {
  const heading = main.querySelector("h1");
  if (!heading) return;
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
}

function frame(place) {
  const dots = h("span.dots", { "aria-hidden": "true" }, h("i"), h("i"), h("i"), h("i"));
  const mark = h("a.mark", { href: "#/jobs" }, dots, "PixCrawler");
  if (!session.active) {
    fill(document.getElementById("top"), mark);
    return;
  }
  const links = MENU.filter(([, , scope]) => !scope || session.may(scope)).map(([text, target]) =>
    h("a", { href: target, "aria-current": place.startsWith(target) ? "page" : null }, text),
  );
  const leave = session.byPlatform
    ? h("a", { href: ".auth/logout?post_logout_redirect_uri=/" }, "Sign out")
    : h("button.quiet", { type: "button", onclick: signOut }, "Sign out");
  fill(document.getElementById("top"), mark, h("nav.menu", { "aria-label": "Main" }, links, leave));
}

function enter() {
  if (location.hash === "" || location.hash === "#/") location.replace("#/jobs");
  else show();
}

function signOut() {
  session.leave();
  forget();
  show();
}

addEventListener("hashchange", show);
addEventListener("signed-out", (event) => {
  if (!session.active) return;
  // the page then knows that the browser is not signed in at the platform any more
  if (session.byPlatform) {
    location.reload();
    return;
  }
  signOut();
  say(event.detail);
});
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});

why = await resume();
show();
