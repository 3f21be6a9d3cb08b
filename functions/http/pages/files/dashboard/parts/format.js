// Writes numbers, sizes and times for people.

const whole = new Intl.NumberFormat("en");
const short = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60]];

export const count = (number) => whole.format(number);

export const plural = (number, one, many = `${one}s`) => `${count(number)} ${number === 1 ? one : many}`;

export function bytes(number) {
  const names = ["bytes", "kB", "MB", "GB", "TB"];
  let step = 0;
  let left = number;
  while (left >= 1000 && step < names.length - 1) [left, step] = [left / 1000, step + 1];
  return `${short.format(left)} ${names[step]}`;
}

export function money(amount, currency) {
  if (amount === null) return "–";
  const format = new Intl.NumberFormat("en", { style: "currency", currency, maximumFractionDigits: 2 });
  return amount > 0 && amount < 0.01 ? `under ${format.format(0.01)}` : format.format(amount);
}

export function duration(seconds) {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172800) return `${short.format(seconds / 3600)} h`;
  return `${short.format(seconds / 86400)} days`;
}

export function ago(text) {
  const seconds = (new Date(text) - Date.now()) / 1000;
  for (const [unit, size] of UNITS) {
    if (Math.abs(seconds) >= size) return relative.format(Math.round(seconds / size), unit);
  }
  return "just now";
}

export const date = (text) => new Date(text).toLocaleString("en", { dateStyle: "medium", timeStyle: "short" });

export const percent = (part, all) => (all > 0 ? Math.round((100 * part) / all) : 0);

/** A number of pixels, which is width by height. */
export const megapixels = (number) => (number < 10_000 ? `${whole.format(number)} px` : `${short.format(number / 1e6)} MP`);
