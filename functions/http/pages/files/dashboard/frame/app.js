// The frame of the page: the menu, and which view an address shows. Addresses never contain a key.
import { showDataset } from "../dataset/dataset.js";
import { showDatasets } from "../datasets/datasets.js";
import { showJob } from "../job/job.js";
import { showJobs } from "../jobs/jobs.js";
import { showNewJob } from "../new_job/new_job.js";
import { say } from "../parts/actions.js";
import { forget } from "../parts/api.js";
import { fill, h } from "../parts/dom.js";
import { problem } from "../parts/notices.js";
import { session } from "../parts/session.js";
import { showProfile } from "../profile/profile.js";
import { showSignIn, signInByPlatform } from "./sign_in.js";

const VIEWS = [
  [/^#\/jobs$/, "Jobs", showJobs],
  [/^#\/jobs\/([\w-]+)$/, "Job", showJob],
  [/^#\/new$/, "New dataset", showNewJob],
  [/^#\/datasets$/, "Datasets", showDatasets],
  [/^#\/datasets\/([\w-]+)$/, "Dataset", showDataset],
  [/^#\/profile$/, "Profile and keys", showProfile],
];
const MENU = [
  ["Jobs", "#/jobs"],
  ["Datasets", "#/datasets"],
  ["Profile", "#/profile"],
];
const main = document.getElementById("main");
let shown = new AbortController();

async function show() {
  shown.abort();
  shown = new AbortController();
  const { signal } = shown;
  for (const open of document.querySelectorAll("dialog")) open.close();
  if (!session.active) {
    frame("");
    document.title = "Sign in · PixCrawler";
    showSignIn(main, signal, enter);
    return;
  }
  const place = location.hash;
  const view = VIEWS.find(([pattern]) => pattern.test(place));
  if (!view) {
    location.replace("#/jobs");
    return;
  }
  const [pattern, title, render] = view;
  frame(place);
  document.title = `${title} · PixCrawler`;
  fill(main, h("p.muted", "Loading …"));
  try {
    await render({ main, signal, id: pattern.exec(place)[1] ?? "" });
  } catch (error) {
    if (!signal.aborted) fill(main, h("h1", title), problem(error));
  }
  if (signal.aborted) return;
  scrollTo(0, 0);
  focusHeading();
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
  const links = MENU.map(([text, target, kind]) =>
    h(kind ? `a.button.${kind}` : "a", { href: target, "aria-current": place.startsWith(target) ? "page" : null }, text),
  );
  const leave = session.byPlatform
    ? h("a", { href: ".auth/logout" }, "Sign out")
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
  signOut();
  say(event.detail);
});
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});

if (!session.active) await signInByPlatform();
show();
