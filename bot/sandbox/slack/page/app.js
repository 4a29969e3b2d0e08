// The page as a whole: who looks at what, what is drawn again when something changes, and the address that says so.

import { wire } from "./actions.js";
import { byId, closeMenus, h, icon, localise, toast } from "./dom.js";
import { composer } from "./composer.js";
import { prepare } from "./forms.js";
import { showMessages } from "./messages.js";
import { refreshModal } from "./modal.js";
import { get, listen, post, soon, store } from "./net.js";
import { showSidebar } from "./sidebar.js";

const scroll = byId("scroll");
const threadScroll = byId("thread-scroll");
const main = composer(byId("composer-place"), () => ({ channel: store.channel, name: channelLabel() }));
const reply = composer(byId("thread-composer"), () => ({ channel: store.channel, name: "", thread_ts: store.thread }));

const line = () => store.state?.channels.find((channel) => channel.id === store.channel);
function channelLabel() {
  const found = store.open || line();
  if (!found) return "";
  return found.is_im ? found.name : `#${found.name}`;
}

const failed = (error) => toast(error.message);

async function refreshState() {
  store.state = { shortcuts: [], commands: [], hint: [], ...(await get("state")) };
  showSwitcher();
  showSidebar(openChannel, openHome);
  showHint();
}

function showSwitcher() {
  const people = store.state.users.filter((user) => !user.is_bot);
  const named = (user) => (user.title ? `${user.real_name || user.name} (${user.title})` : user.real_name || user.name);
  byId("user-switcher").replaceChildren(...people.map((user) =>
    h("option", { value: user.id, selected: user.id === store.user }, named(user))));
}

byId("user-switcher").addEventListener("change", (event) => {
  const query = new URLSearchParams(location.search);
  query.set("user", event.target.value);
  location.search = query.toString();
});

/** Suggested commands for newcomers; a click puts one into the message box. */
function showHint() {
  const given = [store.state.hint || []].flat();
  const bar = byId("hint");
  const signature = JSON.stringify(given);
  bar.hidden = !given.length || store.home || localStorage.getItem("hint-closed") === signature;
  if (bar.dataset.shown === signature) return;
  bar.dataset.shown = signature;
  const close = () => { localStorage.setItem("hint-closed", signature); bar.hidden = true; };
  bar.replaceChildren(h("span", { class: "hint-words" }, "Try:"),
    h("div", { class: "hint-list" }, given.map((item) => {
      const text = item.text || item.command || String(item);
      return h("button", { type: "button", class: "hint-command", title: item.description || null, onclick: () => main.fill(text) },
        item.label || text);
    })), h("button", { type: "button", class: "plain-button", "aria-label": "Dismiss suggestions", onclick: close }, icon("close")));
}

const atEnd = (box) => box.scrollHeight - box.scrollTop - box.clientHeight < 80;
const toEnd = (box) => { box.scrollTop = box.scrollHeight; };

async function refreshChannel(jump = false) {
  if (!store.channel || store.home) return;
  const asked = store.channel;
  const { channel, messages } = await get("channel", { channel: asked });
  if (asked !== store.channel || store.home) return;
  const follow = jump || atEnd(scroll);
  if (channel.id !== store.channel) { store.channel = channel.id; address(true); }
  store.open = { ...line(), ...channel };
  showHead(store.open);
  showMessages(byId("messages"), messages, channel.id, openThread);
  if (!messages.length) byId("messages").replaceChildren(h("p", { class: "empty", "data-key": "empty" }, `This is the very beginning of ${channelLabel()}.`));
  if (follow) toEnd(scroll);
  if (jump) main.turn();
}

function showHead(channel) {
  byId("channel-name").textContent = channelLabel();
  byId("channel-topic").textContent = channel.topic || "";
  byId("channel-topic").title = channel.topic || "";
  document.title = `${channelLabel()} – ${store.state.team.name}`;
  const facts = [];
  if (channel.pins?.length) facts.push(h("button", { type: "button", class: "fact", "aria-label": "Pinned messages", title: "Pinned messages", onclick: () => showPin(channel.pins) }, icon("pin", true), ` ${channel.pins.length}`));
  if (!channel.is_im) facts.push(h("span", { class: "fact", title: "Members" }, icon("people", true), ` ${channel.members.length}`));
  byId("channel-facts").replaceChildren(...facts);
  const marks = channel.bookmarks || [];
  byId("bookmarks").hidden = !marks.length;
  byId("bookmarks").replaceChildren(...marks.map(bookmark));
  const writable = channel.is_member !== false && !channel.is_archived;
  byId("composer-place").classList.toggle("foreign", !writable);
  byId("join")?.remove();
  if (!writable) byId("composer-place").append(channel.is_archived ? archivedBar(channel) : joinBar(channel));
}

function bookmark({ title, link }) {
  const safe = /^(https?:|mailto:)/i.test(link || "");
  return safe ? h("a", { href: link, target: "_blank", rel: "noopener noreferrer" }, icon("bookmark", true), ` ${title}`) : h("span", {}, icon("bookmark", true), ` ${title}`);
}

function joinBar(channel) {
  const join = () => post("join", { channel: channel.id }).then(refreshState).then(() => refreshChannel(true)).catch(failed);
  return h("div", { class: "join", id: "join" }, h("span", {}, `You are looking at #${channel.name}`),
    h("button", { type: "button", class: "button button-primary", onclick: join }, "Join channel"));
}

const archivedBar = (channel) => h("div", { class: "join", id: "join" }, `#${channel.name} is archived; it can only be read.`);

function showPin(pins) {
  const pinned = byId("messages").querySelector(`[data-ts="${CSS.escape(String(pins[0]?.ts || pins[0]))}"]`);
  pinned?.scrollIntoView({ block: "center", behavior: "smooth" });
}

function openChannel(id) {
  closeDrawer();
  if (store.channel !== id) closeThread();
  Object.assign(store, { channel: id, home: false, open: null });
  address();
  surface();
  refreshChannel(true).then(refreshState).catch(failed);
}

function openHome() {
  closeDrawer();
  closeThread();
  store.home = true;
  address();
  surface();
  post("home").then(({ html }) => showHome(html)).catch(failed);
}

function surface() {
  byId("messages").hidden = byId("composer-place").hidden = store.home;
  byId("home").hidden = !store.home;
  if (store.home) {
    byId("channel-name").textContent = store.state.app.name;
    byId("channel-topic").textContent = "Home";
    byId("channel-facts").replaceChildren();
    byId("bookmarks").hidden = true;
    document.title = `${store.state.app.name} – ${store.state.team.name}`;
  } else byId("messages").replaceChildren();
  showSidebar(openChannel, openHome);
  showHint();
}

const homeContainer = () => ({ type: "view", view_id: byId("home").querySelector("[data-view-id]")?.dataset.viewId || "" });
function showHome(html) {
  const home = byId("home");
  if (home.shown === html) return;
  home.shown = html;
  const inner = h("div", { class: "home-blocks", "data-surface": "home" });
  inner.innerHTML = html || "";
  home.replaceChildren(html ? inner : h("p", { class: "empty" }, "Nothing is published here yet."));
  prepare(inner, homeContainer());
  localise(inner);
}
const refreshHome = () => get("home").then(({ html }) => showHome(html));

function openThread(ts) {
  store.thread = ts;
  byId("thread").hidden = false;
  document.body.classList.add("with-thread");
  byId("thread-messages").replaceChildren();
  byId("thread-channel").textContent = channelLabel();
  address();
  refreshThread(true).then(() => { if (innerWidth > 480) byId("thread-composer-input").focus(); }).catch(failed);
}

async function refreshThread(jump = false) {
  if (!store.thread) return;
  const asked = store.thread;
  const { messages } = await get("thread", { channel: store.channel, ts: asked });
  if (asked !== store.thread) return;
  const follow = jump || atEnd(threadScroll);
  showMessages(byId("thread-messages"), messages, store.channel, null);
  if (follow) toEnd(threadScroll);
  if (jump) reply.turn();
}

function closeThread() {
  store.thread = "";
  byId("thread").hidden = true;
  document.body.classList.remove("with-thread");
}
byId("thread-close").addEventListener("click", () => { closeThread(); address(); byId("composer-input").focus(); });

function address(replace = false) {
  const query = new URLSearchParams({ user: store.user });
  if (store.home) query.set("view", "home");
  else if (store.channel) query.set("channel", store.channel);
  if (store.thread) query.set("thread", store.thread);
  const url = `?${query}`;
  if (url === location.search) return;
  history[replace ? "replaceState" : "pushState"]({}, "", url);
}

function read() {
  const query = new URLSearchParams(location.search);
  const first = store.state.channels.filter((channel) => channel.is_member && !channel.is_im);
  store.home = query.get("view") === "home";
  store.channel = query.get("channel") || (first.find((channel) => channel.unread) || first[0])?.id || "";
  store.thread = query.get("thread") || "";
}

addEventListener("popstate", () => {
  read();
  show();
});

function show() {
  surface();
  if (store.home) return void post("home").then(({ html }) => showHome(html)).catch(failed);
  refreshChannel(true).then(() => (store.thread ? openThread(store.thread) : closeThread())).catch((error) => {
    failed(error);
    const first = store.state.channels.find((channel) => channel.is_member);
    if (first && store.channel !== first.id) openChannel(first.id);
  });
}

function toggleDrawer(open) {
  document.body.classList.toggle("drawer-open", open);
  byId("drawer-button").setAttribute("aria-expanded", String(open));
  byId("backdrop").hidden = !open;
}
const closeDrawer = () => toggleDrawer(false);
byId("drawer-button").addEventListener("click", () => toggleDrawer(!document.body.classList.contains("drawer-open")));
byId("backdrop").addEventListener("click", closeDrawer);
byId("theme-button").addEventListener("click", () => {
  const root = document.documentElement;
  const dark = getComputedStyle(root).colorScheme.trim() === "dark" || (!root.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);
  root.dataset.theme = dark ? "light" : "dark";
  localStorage.setItem("theme", root.dataset.theme);
});
addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented || document.querySelector("dialog[open]")) return;
  closeMenus();
  closeDrawer();
  if (store.thread) byId("thread-close").click();
});

wire(byId("messages"), messageOf);
wire(byId("thread-messages"), messageOf);
wire(byId("home"), homeContainer);
function messageOf(element) {
  const message = element.closest("[data-ts]");
  return message && { type: "message", channel: message.dataset.channel, ts: message.dataset.ts };
}
document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-channel-id]");
  if (link) openChannel(link.dataset.channelId);
});

const again = {
  state: soon(() => refreshState().catch(failed), 120),
  channel: soon(() => refreshChannel().catch(failed)),
  thread: soon(() => refreshThread().catch(failed)),
  view: soon(() => refreshModal().catch(failed)),
  home: soon(() => store.home && refreshHome().catch(failed)),
};
function changed(event) {
  if (event.type === "view") return again.view();
  if (event.type === "home") return again.home();
  again.state();
  if (event.channel && event.channel !== store.channel) return;
  again.channel();
  again.thread();
}

// What changed before the stream was open, or while it was broken, it does not say.
let behind = true;
async function start() {
  const query = new URLSearchParams(location.search);
  store.user = query.get("user") || localStorage.getItem("user") || document.body.dataset.user;
  await refreshState().catch((error) => {
    // A person remembered from another workspace; the server knows who is here.
    if (store.user === document.body.dataset.user) throw error;
    store.user = document.body.dataset.user;
    return refreshState();
  });
  store.user = store.state.me;
  localStorage.setItem("user", store.user);
  read();
  address(true);
  show();
  await refreshModal();
  listen(changed, () => {
    byId("connection").hidden = true;
    if (behind) { behind = false; Object.values(again).forEach((work) => work()); }
  }, () => { behind = true; byId("connection").hidden = false; });
  document.body.dataset.ready = "true";
}

start().catch(failed);
