// How the rows of each report are drawn: facts, and a chart that says more than a table.
import { columns, keys, kindsOf, ranking, spans } from "../parts/charts.js";
import { ago, count, duration, percent, plural } from "../parts/format.js";
import { facts } from "../parts/notices.js";
import { FAILURES } from "../parts/words.js";

const HOUR = 3_600_000;
const OUTCOMES = [["kept", "completed"], ["refused", "failed"], ["other", "cancelled"]];

const sum = (rows, field) => rows.reduce((all, row) => all + (row[field] ?? 0), 0);
const most = (rows, field) => Math.max(0, ...rows.map((row) => row[field] ?? 0));
const half = (p50, p95) => [["accent", p50], ["rest", Math.max(0, p95 - p50)]];
const halves = () => keys([["accent", "half of them"], ["rest", "95 % of them"]]);
const time = (ms) => (ms < 1000 ? `${Math.round(ms)} ms` : duration(ms / 1000));

/** Columns of all hours or days of a report; `parts` makes the parts of one of the rows in it. */
function over({ rows, start, end }, field, step, parts, words, write) {
  const first = Math.floor(Date.parse(start) / step) * step;
  const found = spans(rows, field, { start: first, end: Date.parse(end), step });
  return columns(found.map((span) => ({ at: span.at, parts: parts(span.rows) })), words, write);
}

const images = (amount) => plural(amount, "image");

function jobsCompleted(report) {
  const [jobs, all] = [sum(report.rows, "jobs"), sum(report.rows, "images")];
  const chart = over(report, "hour", HOUR, (rows) => [["accent", sum(rows, "images")]], `${plural(jobs, "job")} with ${images(all)}`, images);
  return [facts([["jobs", count(jobs)], ["images", count(all)]]), chart];
}

function imagesProcessed(report) {
  const of = (rows, status) => sum(rows.filter((row) => row.status === status), "images");
  const parts = (rows) => [["kept", of(rows, "kept")], ["refused", of(rows, "rejected")]];
  const [[, kept], [, refused]] = parts(report.rows);
  const shown = facts([["kept", count(kept), "kept"], ["refused", count(refused), "refused"], ["are kept", `${percent(kept, kept + refused)} %`]]);
  return [shown, over(report, "hour", HOUR, parts, `${count(kept)} images kept, ${count(refused)} refused`, images)];
}

function jobDurations(report) {
  const longest = duration(most(report.rows, "max_seconds"));
  const parts = (rows) => half(most(rows, "p50_seconds"), most(rows, "p95_seconds"));
  return [facts([["the longest job", longest]]), over(report, "hour", HOUR, parts, `The longest job took ${longest}`, duration), halves()];
}

function recentJobs({ rows }) {
  const kinds = Object.fromEntries(OUTCOMES.map(([kind, outcome]) => [outcome, kind]));
  const entries = rows.map((row) => ({ at: row.ended_at, parts: [[kinds[row.outcome] ?? "rest", row.duration_seconds ?? 0]] })).reverse();
  const ended = OUTCOMES.map(([kind, outcome]) => [outcome, count(rows.filter((row) => row.outcome === outcome).length), kind]);
  return [facts(ended), columns(entries, `How long the last ${plural(rows.length, "job")} took, the latest on the right`, duration)];
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
  ranking(
    rows.map((row) => ({
      name: `${row.operation}, ${row.folder}`,
      value: time(row.p95_ms),
      parts: half(row.p50_ms, row.p95_ms),
      more: `${plural(row.calls, "call")}, ${count(row.failures)} failed`,
    })),
  ),
  halves(),
];

const queues = ({ rows }) =>
  ranking(
    rows.map((row) => ({
      name: row.queue,
      value: plural(row.runs, "run"),
      parts: [["accent", row.runs - row.failures], ["refused", row.failures]],
      more: `${count(row.failures)} failed, half within ${time(row.p50_ms)}, last ${ago(row.last_run)}`,
    })),
  );

function activity(report) {
  const tiers = [...new Set(report.rows.map((row) => row.user_tier))].sort();
  const colours = kindsOf(tiers);
  const parts = (rows) => colours.map(([kind, tier]) => [kind, sum(rows.filter((row) => row.user_tier === tier), "actions")]);
  const shown = facts([["actions", count(sum(report.rows, "actions"))], ["users a day, at least", count(most(report.rows, "users_seen"))]]);
  return [shown, over(report, "day", 24 * HOUR, parts, `Actions by day of the tiers ${tiers.join(", ")}`, (amount) => plural(amount, "action")), keys(colours)];
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
