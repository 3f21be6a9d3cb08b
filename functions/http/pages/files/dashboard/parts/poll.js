// Reads something again and again, at the pace that the app asks for, and not while nobody looks.

const MAX_WAIT = 300;

/**
 * Calls `read` until it returns null or the signal ends it. `read` returns how many seconds to wait.
 * `failed` is called with each problem, and with null when reading works again.
 */
export async function poll(signal, read, failed) {
  let failures = 0;
  while (!signal.aborted) {
    await visible(signal);
    if (signal.aborted) return;
    let wait;
    try {
      wait = await read();
      if (failures > 0) failed(null);
      failures = 0;
    } catch (problem) {
      if (signal.aborted || problem.status === 401) return;
      failed(problem);
      if (problem.status >= 400 && problem.status < 500 && problem.status !== 429) return;
      failures += 1;
      wait = problem.retryAfter ?? 2 ** Math.min(failures, 6);
    }
    if (wait === null) return;
    await pause(Math.min(Math.max(wait, 1), MAX_WAIT), signal);
  }
}

/** Waits for a number of seconds, or until the signal. */
export function pause(seconds, signal) {
  return new Promise((done) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      done();
    };
    const timer = setTimeout(end, seconds * 1000);
    signal.addEventListener("abort", end);
  });
}

/** Waits until somebody sees the page, or until the signal. */
export function visible(signal) {
  if (!document.hidden || signal.aborted) return Promise.resolve();
  return new Promise((done) => {
    const seen = () => {
      if (document.hidden && !signal.aborted) return;
      document.removeEventListener("visibilitychange", seen);
      signal.removeEventListener("abort", seen);
      done();
    };
    document.addEventListener("visibilitychange", seen);
    signal.addEventListener("abort", seen);
  });
}
