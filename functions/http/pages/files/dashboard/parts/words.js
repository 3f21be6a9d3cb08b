// What states, reasons and codes mean. docs/reference/states.md has the same words, and a test compares them.

export const STATES = {
  queued: ["Waiting to start", ""],
  discovering: ["Looking for images", "going"],
  crawling: ["Fetching and judging", "going"],
  archiving: ["Writing the dataset", "going"],
  completed: ["Ready", "good"],
  failed: ["Failed", "bad"],
  cancelled: ["Cancelled", ""],
};

export const FORMATS = { zip: "ZIP with folders", webdataset: "WebDataset shards", parquet: "Parquet shards" };

export const ENDED = new Set(["completed", "failed", "cancelled"]);

export const REASONS = {
  invalid_url: ["Not a web address", "The address is not a plain http or https address."],
  forbidden_address: ["Private address", "The address leads to a private network, which is never asked."],
  robots_denied: ["Forbidden by robots.txt", "The site asks crawlers not to fetch it."],
  opted_out: ["Opted out", "The site, page or file does not allow it, or somebody has opted it out."],
  dns_failed: ["Host not found", "The name of the host could not be resolved. A retry may help."],
  connection_failed: ["No connection", "The host refused or closed the connection. A retry may help."],
  tls_failed: ["Bad certificate", "The host has no valid certificate."],
  timed_out: ["Too slow", "The image did not arrive in time. A retry may help."],
  too_many_redirects: ["Too many redirects", "The address leads on more than eight times."],
  rate_limited: ["Host was busy", "The host asked to slow down, even after a pause. A retry may help."],
  server_error: ["Host had an error", "The host answered with an error of its own. A retry may help."],
  http_error: ["Refused by the host", "The host answered, but not with the image."],
  not_found: ["Gone", "The host says that the image is not there."],
  transfer_broken: ["Broken transfer", "The file ended before its announced size. A retry may help."],
  too_many_bytes: ["File too large", "The file is larger than the limit of the spec."],
  empty_body: ["Empty file", "The file has no content."],
  not_an_image: ["Not an image", "The file is something else, such as a web page."],
  unsupported_format: ["Unknown format", "An image format that is not read, such as SVG."],
  truncated: ["Cut off", "The file ends too early."],
  corrupt: ["Damaged", "The pixel data is damaged."],
  too_many_pixels: ["Too many pixels", "The image has more pixels than the spec allows."],
  format_filtered: ["Other format", "The spec does not ask for this format."],
  license_filtered: ["Other licence", "The spec does not ask for this licence, or it does not allow that faces are blurred."],
  too_small: ["Too small", "The image has fewer pixels than the spec asks for."],
  aspect_ratio: ["Too wide or too tall", "The shape is more extreme than the spec allows."],
  score_filtered: ["Score out of range", "A score is below or above the spec's limits."],
  ai_filtered: ["Made by AI or not", "The file declares, or does not declare, that AI made it."],
  face_filtered: ["Shows a face", "A model found a face, and the spec drops such images or it could not be blurred."],
  nsfw_filtered: ["Not safe for work", "A model rates the image as less safe for work than the spec allows."],
  duplicate: ["Same file", "Another image has exactly the same bytes."],
  near_duplicate: ["Looks the same", "Another image of the dataset looks the same, and is the better copy."],
  percentile_filtered: ["Worse than its label", "A score is among the lowest or highest of its label, which the spec drops."],
  over_limit: ["Enough already", "Its label or the dataset is full."],
  crashed: ["Crash", "The app crashed on this file. A retry may help."],
};

export const FAILURES = {
  invalid_message: "Correct the queue message and send it again.",
  quota_exceeded: "Ask for fewer images, or try again when there is room.",
  no_images: "Relax the filters, or use other words or sources. The reasons below say what happened.",
  discovery_failed: "Correct the source, or retry if the service was down.",
  discovery_crashed: "Retry once. If it happens again, report it with the job's id.",
  model_failed: "Ask the operator about the model, then retry.",
  archive_failed: "Submit the job again without the earlier dataset that is gone.",
  archive_crashed: "Retry once. If it happens again, report it with the job's id.",
  damaged: "Submit the job again.",
  stalled: "Ask the operator to check the app's health, then retry.",
};

export const reason = (code) => REASONS[code] ?? [code, ""];
