// How fast a job is, by what the page has seen of it.

const SPAN_SECONDS = 60;

export class Speed {
  #seen = [];

  see(job) {
    const now = performance.now() / 1000;
    this.#seen.push([now, job.progress.kept + job.progress.rejected]);
    this.#seen = this.#seen.filter(([at]) => now - at <= SPAN_SECONDS);
  }

  /** Images a second, and the seconds for `rest` more. Both are 0 while unknown. */
  estimate(rest) {
    const [first, last] = [this.#seen[0], this.#seen.at(-1)];
    const seconds = first && last ? last[0] - first[0] : 0;
    const perSecond = seconds > 0 ? Math.max(0, last[1] - first[1]) / seconds : 0;
    return { perSecond, secondsLeft: perSecond > 0 ? rest / perSecond : 0 };
  }
}
