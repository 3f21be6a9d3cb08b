// How the rows of each report are drawn: facts, and a chart that says more than a table.
import { columns, keys, kindsOf, ranking, spans } from "../parts/charts.js";
import { ago, count, duration, percent, plural } from "../parts/format.js";
import { facts } from "../parts/notices.js";
import { FAILURES } from "../parts/words.js";

const HOUR = 3_600_000;
const OUTCOMES = [["kept", "completed"], ["refused", "failed"], ["other", "cancelled"]];

const sum = (rows, field) => rows.reduce((all, row) => all + (row[field] ?? 0), 0);
const most = (rows, field) => Math.max(0, ...rows.map((row) => row[field] ?? 0));
const time = (ms) => (ms < 1000 ? `${Math.round(ms)} ms` : duration(ms / 1000));

function spanOf({ start, end }, step) {
  const first = Date.parse(start);
  return { start: Math.floor(first / step) * step, end: Date.parse(end), step };
}

function jobsCompleted(report) {
  const entries = spans(report.rows, "hour", spanOf(report, HOUR)).map(({ at, rows }) => ({ at, parts: [["accent", sum(rows, "images")]] }));
  const [jobs, images] = [sum(report.rows, "jobs"), sum(report.rows, "images")];
  const words = `${plural(jobs, "job")} with ${plural(images, "image")}`;
  return [facts([["jobs", count(jobs)], ["images", count(images)]]), columns(entries, words, (amount) => plural(amount, "image"))];
}

function imagesProcessed(report) {
  const of = (rows, status) => sum(rows.filter((row) => row.status === status), "images");
  const parts = (rows) => [["kept", of(rows, "kept")], ["refused", of(rows, "rejected")]];
  const entries = spans(report.rows, "hour", spanOf(report, HOUR)).map(({ at, rows }) => ({ at, parts: parts(rows) }));
  const [[, kept], [, refused]] = parts(report.rows);
  const shown = facts([["kept", count(kept), "kept"], ["refused", count(refused), "refused"], ["are kept", `${percent(kept, kept + refused)} %`]]);
  return [shown, columns(entries, `${count(kept)} images kept, ${count(refused)} refused`, (amount) => plural(amount, "image"))];
}

function jobDurations(report) {
  const entries = spans(report.rows, "hour", spanOf(report, HOUR)).map(({ at, rows }) => {
    const half = most(rows, "p50_seconds");
    return { at, parts: [["accent", half], ["rest", Math.max(0, most(rows, "p95_seconds") - half)]] };
  });
  const longest = duration(most(report.rows, "max_seconds"));
  const names = [["accent", "half of the jobs"], ["rest", "95 % of the jobs"]];
  return [facts([["the longest job", longest]]), columns(entries, `The longest job took ${longest}`, duration), keys(names)];
}

function recentJobs(report) {
  const rows = [...report.rows].reverse();
  const kind = Object.fromEntries(OUTCOMES.map(([each, outcome]) => [outcome, each]));
  const entries = rows.map((row) => ({ at: row.ended_at, parts: [[kind[row.outcome] ?? "rest", Math.max(1, row.duration_seconds ?? 0)]] }));
  const ended = OUTCOMES.map(([each, outcome]) => [outcome, count(rows.filter((row) => row.outcome === outcome).length), each]);
  return [facts(ended), columns(entries, `How long the last ${plural(rows.length, "job")} took, the latest on the right`, duration), keys(OUTCOMES)];
}

const failures = ({ rows }) =>
  ranking(rows.map((row) => ({ name: `${row.outcome}: ${row.reason || "no reason"}`, value: count(row.jobs), parts: [["refused", row.jobs]], more: FAILURES[row.reason] })));

const exceptions = ({ rows }) =>
  ranking(
    rows.map((row) => ({
      name: `${row.type} in ${row.operation}`,
      value: count(row.exceptions),
      parts: [["refused", row.exceptions]],
      more: `${ago(row.last_seen)}: ${row.last_message}`,
    })),
  );

const storage = ({ rows }) => [
  keys([["accent", "half of the calls"], ["rest", "95 % of them"]]),
  ranking(
    rows.map((row) => ({
      name: `${row.operation}, ${row.folder}`,
      value: time(row.p95_ms),
      parts: [["accent", row.p50_ms], ["rest", row.p95_ms - row.p50_ms]],
      more: `${plural(row.calls, "call")}, ${count(row.failures)} failed`,
    })),
  ),
];

const queues = ({ rows }) => [
  keys([["accent", "worked"], ["refused", "failed"]]),
  ranking(
    rows.map((row) => ({
      name: row.queue,
      value: plural(row.runs, "run"),
      parts: [["accent", row.runs - row.failures], ["refused", row.failures]],
      more: `${row.failures > 0 ? `${count(row.failures)} failed, ` : ""}half within ${time(row.p50_ms)}, last ${ago(row.last_run)}`,
    })),
  ),
];

function activity(report) {
  const tiers = [...new Set(report.rows.map((row) => row.user_tier))].sort();
  const colours = kindsOf(tiers);
  const parts = (rows) => colours.map(([kind, tier]) => [kind, sum(rows.filter((row) => row.user_tier === tier), "actions")]);
  const entries = spans(report.rows, "day", spanOf(report, 24 * HOUR)).map(({ at, rows }) => ({ at, parts: parts(rows) }));
  const shown = facts([["actions", count(sum(report.rows, "actions"))], ["users seen, at least", count(most(report.rows, "users_seen"))]]);
  return [shown, columns(entries, `Actions by day of the tiers ${tiers.join(", ")}`, (amount) => plural(amount, "action")), keys(colours)];
}

const costs = ({ rows }) =>
  [...new Set(rows.map((row) => row.unit))].map((unit) =>
    ranking(rows.filter((row) => row.unit === unit).map((row) => ({ name: `${row.driver}: ${row.part}`, value: `${count(Math.round(row.amount))} ${unit}`, parts: [["accent", row.amount]] }))),
  );

export const DRAWN = {
  jobs_completed: jobsCompleted,
  images_processed: imagesProcessed,
  job_durations: jobDurations,
  recent_jobs: recentJobs,
  failures_by_reason: failures,
  queue_health: queues,
  user_activity: activity,
  storage_dependencies: storage,
  cost_drivers: costs,
  exceptions,
};
