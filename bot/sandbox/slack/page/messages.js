// Messages: drawn once, drawn again only when they changed, so that nothing jumps and no focus is lost.

import { markBusy } from "./actions.js";
import { avatar, dayKey, dayName, emoji, fullTimeOf, h, icon, localise, menu, REACTIONS, timeOf, toast } from "./dom.js";
import { prepare } from "./forms.js";
import { post, store } from "./net.js";

const TOGETHER_SECONDS = 300;

/** Shows `messages` in `list`; `open` opens a thread, or is null inside one. */
export function showMessages(list, messages, channel, open) {
  const old = new Map([...list.children].map((child) => [child.dataset.key, child]));
  const wanted = [];
  let before = null;
  for (const message of messages) {
    if (!before || dayKey(before.ts) !== dayKey(message.ts)) {
      const key = `day ${dayKey(message.ts)}`;
      wanted.push(old.get(key) || h("div", { class: "day", "data-key": key }, h("span", {}, dayName(message.ts))));
      before = null;
    }
    const compact = follows(before, message);
    const key = message.ts;
    const signature = JSON.stringify([message, compact, store.user, Boolean(open)]);
    const kept = old.get(key);
    if (kept?.signature === signature) wanted.push(kept);
    else wanted.push(drawn(message, channel, compact, open, signature));
    before = message;
  }
  place(list, wanted);
}

/** Puts the wanted nodes in order and touches only those that are not there yet. */
function place(list, wanted) {
  const keep = new Set(wanted);
  for (const child of [...list.children]) if (!keep.has(child)) child.remove();
  wanted.forEach((node, index) => {
    if (list.children[index] !== node) list.insertBefore(node, list.children[index] || null);
  });
}

const follows = (before, message) =>
  before && before.user === message.user && before.name === message.name && !before.thread && !message.ephemeral &&
  !before.ephemeral && !message.pinned && Number(message.ts) - Number(before.ts) < TOGETHER_SECONDS;

function drawn(message, channel, compact, open, signature) {
  const classes = ["message", compact && "compact", message.ephemeral && "ephemeral", message.pinned && "pinned"];
  if (message.subtype && /join|leave|topic|purpose|name|archive|pinned/.test(message.subtype)) classes.push("quiet");
  const content = h("div", { class: "message-content", "data-surface": "message" });
  content.innerHTML = message.html;
  const container = { type: "message", channel, ts: message.ts };
  const time = h("time", { class: "message-time", title: fullTimeOf(message.ts) }, timeOf(message.ts));
  const body = h("div", { class: "message-body" },
    message.pinned ? h("div", { class: "message-mark" }, icon("pin", true), " Pinned") : null,
    message.ephemeral ? h("div", { class: "message-mark" }, icon("eye", true), " Only visible to you") : null,
    compact ? null : h("div", { class: "message-head" }, h("span", { class: "message-name" }, message.name),
      message.bot ? h("span", { class: "badge" }, "APP") : null, time),
    content,
    message.edited ? h("span", { class: "edited" }, "(edited)") : null,
    files(message), reactions(message, channel), threadLine(message, open),
  );
  const side = h("div", { class: "message-side" }, compact ? time : avatar(message.name, message.color));
  const article = h("article", { class: classes.filter(Boolean).join(" "), "data-key": message.ts, "data-ts": message.ts,
    "data-channel": channel, "aria-label": `${message.name}, ${timeOf(message.ts)}` }, side, body, tools(message, channel, open));
  article.signature = signature;
  prepare(content, container);
  localise(content);
  markBusy(content, container);
  for (const button of content.querySelectorAll("[data-visible-to]")) {
    button.hidden = !button.dataset.visibleTo.split(" ").includes(store.user);
  }
  return article;
}

const SIZES = ["bytes", "KB", "MB", "GB"];
function size(bytes) {
  const step = Math.min(3, Math.floor(Math.log(Math.max(1, bytes)) / Math.log(1024)));
  return `${Math.round((bytes / 1024 ** step) * 10) / 10} ${SIZES[step]}`;
}

function files(message) {
  if (!message.files?.length) return null;
  return h("div", { class: "files" }, message.files.map((file) => {
    const link = { href: file.url, target: "_blank", rel: "noopener", class: "file" };
    if (/^image\/(png|jpeg|gif|webp|svg\+xml)$/.test(file.mimetype)) {
      return h("a", { ...link, class: "file-image" }, h("span", { class: "file-name" }, file.name),
        h("img", { src: file.url, alt: file.alt || file.name, class: "picture" }));
    }
    return h("a", { ...link, download: file.name }, h("span", { class: "file-icon" }, icon("file")),
      h("span", {}, h("span", { class: "file-name" }, file.name), h("small", {}, `${file.mimetype} · ${size(file.size)}`)));
  }));
}

const said = (work) => work.catch((error) => toast(error.message));
const react = (channel, message, name) => said(post("react", { channel, ts: message.ts, name }));

function reactions(message, channel) {
  if (!message.reactions?.length) return null;
  return h("div", { class: "reactions" }, message.reactions.map(({ name, count, users }) => {
    const mine = users.includes(store.user);
    return h("button", { type: "button", class: mine ? "reaction mine" : "reaction", "aria-pressed": String(mine),
      title: `:${name}:`, "aria-label": `${name.replaceAll("_", " ")}, ${count}`,
      onclick: () => react(channel, message, name) }, emoji(name), h("span", {}, String(count)));
  }));
}

function threadLine(message, open) {
  if (!message.thread || !open) return null;
  const { count, last_ts: last } = message.thread;
  return h("button", { type: "button", class: "thread-line", onclick: () => open(message.ts) },
    h("strong", {}, `${count} ${count === 1 ? "reply" : "replies"}`), h("span", {}, `Last reply ${timeOf(last)}`));
}

function tools(message, channel, open) {
  if (message.ephemeral) return null;
  const pick = (event) => menu(event.currentTarget, REACTIONS.map((name) =>
    [`${emoji(name)}  ${name.replaceAll("_", " ")}`, () => react(channel, message, name)]));
  const shortcuts = store.state.shortcuts.filter((shortcut) => shortcut.type === "message");
  const more = (event) => menu(event.currentTarget, shortcuts.map((shortcut) =>
    [shortcut.name, () => said(post("shortcut", { callback_id: shortcut.callback_id, channel, ts: message.ts }))]));
  const tool = (label, name, act) =>
    h("button", { type: "button", class: "tool", "aria-label": label, title: label, onclick: act }, icon(name));
  return h("div", { class: "tools" }, tool("Add reaction", "smile", pick),
    open ? tool("Reply in thread", "reply", () => open(message.thread_ts || message.ts)) : null,
    shortcuts.length ? tool("More message shortcuts", "more", more) : null);
}
