// The left side: the app's Home, channels with unread ones in bold, direct messages.

import { avatar, byId, h, icon } from "./dom.js";
import { store } from "./net.js";

/** Draws the lists; `open` is called with a channel id, `openHome` for the app's Home. */
export function showSidebar(open, openHome) {
  const { channels, users, app } = store.state;
  const rooms = channels.filter((channel) => !channel.is_im);
  const mine = rooms.filter((channel) => channel.is_member).sort(byName);
  const others = rooms.filter((channel) => !channel.is_member).sort(byName);
  const lists = byId("sidebar-lists");
  const focused = document.activeElement?.dataset?.entry;
  lists.replaceChildren(
    section("Apps", [homeEntry(app, users, openHome)]),
    section("Channels", mine.map((channel) => roomEntry(channel, open))),
    ...(others.length ? [section("More channels", others.map((channel) => roomEntry(channel, open)))] : []),
    section("Direct messages", people(channels, users, app).map((line) => personEntry(line, open))),
  );
  if (focused) lists.querySelector(`[data-entry="${CSS.escape(focused)}"]`)?.focus();
}

const byName = (one, other) => one.name.localeCompare(other.name);

function section(title, entries) {
  return h("section", { class: "sidebar-section" }, h("h2", {}, title), h("ul", {}, entries.map((entry) => h("li", {}, entry))));
}

function entry(key, current, unread, onclick, ...children) {
  const classes = ["entry", current && "current", unread > 0 && !current && "unread"].filter(Boolean).join(" ");
  return h("button", { type: "button", class: classes, "data-entry": key, "aria-current": current ? "page" : null, onclick },
    ...children, unread > 0 && !current ? h("span", { class: "count", "aria-label": `${unread} unread` }, String(unread)) : null);
}

function homeEntry(app, users, openHome) {
  const bot = users.find((user) => user.id === app.bot_user_id);
  return entry("home", store.home, 0, openHome, avatar(app.name, bot?.color || "4a154b", true),
    h("span", { class: "entry-name" }, app.name), h("span", { class: "entry-note" }, "Home"));
}

function roomEntry(channel, open) {
  const current = !store.home && store.channel === channel.id;
  const sign = h("span", { class: "entry-sign", title: channel.is_private ? "private" : null }, icon(channel.is_private ? "lock" : "hash", true));
  const name = h("span", { class: "entry-name" }, channel.name);
  const button = entry(channel.id, current, channel.unread, () => open(channel.id), sign, name);
  if (!channel.is_member) button.classList.add("foreign");
  return button;
}

/** Everybody one could write to; a conversation that is not open yet goes by the person's id. */
function people(channels, users, app) {
  const open = new Map(channels.filter((channel) => channel.is_im).map((channel) => [channel.im_user, channel]));
  const listed = users.filter((user) => user.id !== store.user && (!user.is_bot || user.id === app.bot_user_id || open.has(user.id)));
  return listed.map((user) => ({ user, id: open.get(user.id)?.id || user.id, unread: open.get(user.id)?.unread || 0 }));
}

function personEntry({ user, id, unread }, open) {
  const current = !store.home && (store.channel === id || store.channel === user.id);
  return entry(id, current, unread, () => open(id), avatar(user.real_name || user.name, user.color, true),
    h("span", { class: "entry-name" }, user.real_name || user.name), user.is_bot ? h("span", { class: "badge" }, "APP") : null);
}
