// Talks to local Slack: JSON there and back, and the stream of what changed.

export class Refused extends Error {}

async function answer(request) {
  let response;
  try {
    response = await request;
  } catch {
    throw new Refused("Local Slack does not answer. Is the sandbox still running?");
  }
  const body = await response.json().catch(() => ({}));
  if (!response.ok || body.ok === false) throw new Refused(body.error || `Local Slack answered ${response.status}.`);
  return body;
}

export const store = { user: "", channel: "", home: false, thread: "", state: null, open: null };

export function get(path, parameters = {}) {
  const query = new URLSearchParams({ user: store.user, ...parameters });
  return answer(fetch(`/_local/${path}?${query}`, { headers: { accept: "application/json" } }));
}

export function post(path, body = {}) {
  const headers = { "content-type": "application/json" };
  return answer(fetch(`/_local/${path}`, { method: "POST", headers, body: JSON.stringify({ user: store.user, ...body }) }));
}

export function upload(channel, file, text = "") {
  const form = new FormData();
  form.append("user", store.user);
  form.append("channel", channel);
  form.append("text", text);
  form.append("file", file, file.name);
  return answer(fetch("/_local/upload", { method: "POST", body: form }));
}

/** The stream of changes; the browser reconnects by itself, `back` is called each time it is open again. */
export function listen(changed, back, lost) {
  let source;
  let again = 0;
  const open = () => {
    source = new EventSource(`/_local/events?user=${encodeURIComponent(store.user)}`);
    source.onopen = back;
    source.onmessage = (event) => changed(JSON.parse(event.data));
    source.onerror = () => {
      lost();
      // A refused stream is closed for good by the browser; only then is it ours to open it again.
      if (source.readyState !== EventSource.CLOSED) return;
      clearTimeout(again);
      again = setTimeout(open, 1500);
    };
  };
  addEventListener("pagehide", () => source?.close());
  open();
}

/** Runs `work` soon, once for many calls. */
export function soon(work, milliseconds = 40) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(work, milliseconds);
  };
}
