// Calls the API of this app, and nothing else.
import { session } from "./session.js";

const versions = new Map();
const MAX_VERSIONS = 200;

/** An answer that is no success: its problem details, and how many seconds to wait before the next try. */
class Problem extends Error {
  constructor(status, body, retryAfter) {
    super(body.detail ?? `The app answered ${status}.`);
    this.status = status;
    this.code = body.code ?? "";
    this.errors = Array.isArray(body.errors) ? body.errors : [];
    this.correlationId = body.correlation_id ?? "";
    this.retryAfter = retryAfter;
  }
}

/** Reads a path. An answer that has not changed is not sent again: `changed` is false then. */
export async function get(path, signal) {
  const known = versions.get(path);
  const response = await send("GET", path, { signal, headers: known ? { "If-None-Match": known.etag } : {} });
  const retryAfter = seconds(response);
  if (response.status === 304 && known) return { body: known.body, retryAfter, changed: false };
  const body = await response.json();
  const etag = response.headers.get("ETag");
  if (etag) {
    if (versions.size >= MAX_VERSIONS) versions.delete(versions.keys().next().value);
    versions.set(path, { etag, body });
  }
  return { body, retryAfter, changed: true };
}

/** Returns the scopes of a key that may not be in use yet, or of the sign-in if the key is null. Raises the problem if the app refuses it. */
export async function scopesOf(key, signal) {
  return (await (await send("GET", "/api/v1/users/profile", { key, signal })).json()).scopes;
}

/** Reads the health of the app and its parts, also while it is bad. */
export async function health(signal) {
  const response = await send("GET", "/health", { signal, expected: 503 });
  return response.json();
}

/** Reads a picture. The caller must revoke the address. */
export async function picture(path, signal) {
  const response = await send("GET", path, { signal, cache: "default" });
  return URL.createObjectURL(await response.blob());
}

/** Changes something. Returns the body of the answer, or null. */
export async function change(method, path, body, { headers = {}, signal } = {}) {
  const json = body === undefined ? {} : { "Content-Type": "application/json" };
  const text = typeof body === "string" ? body : body === undefined ? undefined : JSON.stringify(body);
  const response = await send(method, path, { body: text, signal, headers: { ...json, ...headers } });
  const answer = await response.text();
  return answer === "" ? null : JSON.parse(answer);
}

/** Forgets all answers, as another user may be next. */
export function forget() {
  versions.clear();
}

async function send(method, path, { body, headers = {}, signal, cache = "no-store", key = session.key, expected = 304 } = {}) {
  const url = new URL(path, location.origin);
  if (url.origin !== location.origin || !/^\/(api\/v1\/|health$)/.test(url.pathname)) {
    throw new Error("Only the API of this app is called.");
  }
  const all = key === null ? headers : { ...headers, "X-API-Key": key };
  let response;
  try {
    response = await fetch(url, { method, body, headers: all, signal, cache, redirect: "error" });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Problem(0, { detail: "The app cannot be reached. Check the connection." }, null);
  }
  if (response.ok || response.status === expected) return response;
  const problem = new Problem(response.status, await response.json().catch(() => ({})), seconds(response));
  if (problem.status === 401 && key === session.key) dispatchEvent(new CustomEvent("signed-out", { detail: problem.message }));
  throw problem;
}

function seconds(response) {
  const text = response.headers.get("Retry-After");
  return text !== null && /^\d+$/.test(text) ? Number(text) : null;
}
