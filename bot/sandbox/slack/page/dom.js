// Small pieces of the page that need no server: elements, avatars, times, toasts, menus.

export const byId = (id) => document.getElementById(id);

/** An element; properties named on* are listeners, the others attributes. Text is never read as HTML. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** A drawn icon in the colour of its text; the name is one of icons.css. */
export const icon = (name, small = false) =>
  h("span", { class: `icon icon-${name}${small ? " icon-small" : ""}`, "aria-hidden": "true" });

const EMOJI = JSON.parse(document.body.dataset.emoji || "{}");
export const emoji = (name) => EMOJI[name.split("::")[0]] || `:${name}:`;
export const REACTIONS = ["+1", "eyes", "white_check_mark", "tada", "pray", "rotating_light"];

function readable(color) {
  const [red, green, blue] = [0, 2, 4].map((at) => {
    const part = parseInt(color.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.18 ? "#1d1c1d" : "#ffffff";
}

/** A coloured square with initials; an app's has a different shape of letters: its first sign only. */
export function avatar(name, color, small = false) {
  const words = (name || "?").replace(/[^\p{L}\p{N} ]/gu, " ").trim().split(/\s+/);
  const initials = words.slice(0, 2).map((word) => word[0] || "?").join("").toUpperCase();
  const square = h("span", { class: small ? "avatar avatar-small" : "avatar", "aria-hidden": "true" }, initials);
  const shade = /^#?[0-9a-f]{6}$/i.test(color || "") ? color.replace("#", "") : "757575";
  square.style.backgroundColor = `#${shade}`;
  square.style.color = readable(shade);
  return square;
}

const at = (ts) => new Date(Number(ts) * 1000);
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const longDay = new Intl.DateTimeFormat("en", { weekday: "long", month: "long", day: "numeric" });
export const timeOf = (ts) => clock.format(at(ts));
export const fullTimeOf = (ts) => at(ts).toLocaleString("en", { dateStyle: "medium", timeStyle: "medium" });
export const dayKey = (ts) => at(ts).toDateString();

export function dayName(ts) {
  const day = at(ts).toDateString();
  if (day === new Date().toDateString()) return "Today";
  if (day === new Date(Date.now() - 86400000).toDateString()) return "Yesterday";
  return longDay.format(at(ts));
}

const DATES = {
  date_num: (d) => d.toLocaleDateString("sv"),
  date: (d) => d.toLocaleDateString("en", { dateStyle: "long" }),
  date_short: (d) => d.toLocaleDateString("en", { dateStyle: "medium" }),
  date_long: (d) => d.toLocaleDateString("en", { dateStyle: "full" }),
  time: (d) => clock.format(d),
  time_secs: (d) => d.toLocaleTimeString("en-GB"),
  ago: (d) => ago((Date.now() - d) / 1000),
};

function ago(seconds) {
  const form = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
  for (const [unit, size] of [["day", 86400], ["hour", 3600], ["minute", 60]]) {
    if (Math.abs(seconds) >= size) return form.format(-Math.round(seconds / size), unit);
  }
  return form.format(-Math.round(seconds), "second");
}

/** Rewrites the server's UTC dates in the reader's own time zone, and paints what has a colour of its own. */
export function localise(root) {
  for (const time of root.querySelectorAll("time[data-format]")) {
    const moment = new Date(time.dateTime);
    const shown = time.dataset.format.replace(/\{(\w+)\}/g, (token, name) => {
      const write = DATES[name.replace(/_pretty|_full/, "").replace("date_slash", "date_num")];
      return write ? write(moment) : token;
    });
    if (shown) time.textContent = shown;
  }
  for (const painted of root.querySelectorAll("[data-color]")) painted.style.setProperty("--color", painted.dataset.color);
}

/** Says what went wrong, in words, until it has been read. */
export function toast(words) {
  const note = h("div", { class: "toast" }, h("span", {}, words));
  const box = byId("toasts");
  const gone = () => {
    note.remove();
    if (!box.childElementCount && box.matches(":popover-open")) box.hidePopover();
  };
  note.append(h("button", { type: "button", class: "toast-close", "aria-label": "Dismiss", onclick: gone }, icon("close")));
  box.append(note);
  // Shown anew, so that it lies above a modal that was opened since.
  if (box.matches(":popover-open")) box.hidePopover();
  box.showPopover();
  setTimeout(gone, 8000);
}

/** A small menu below a button; closes on a choice, Esc or a click elsewhere. */
export function menu(button, entries) {
  closeMenus();
  const box = h("div", { class: "menu popup", role: "menu" });
  for (const [label, act] of entries) {
    const choose = () => { closeMenus(); act(); };
    box.append(h("button", { type: "button", class: "menu-item", role: "menuitem", onclick: choose }, label));
  }
  document.body.append(box);
  const place = button.getBoundingClientRect();
  const below = place.bottom + 4 + box.offsetHeight < innerHeight;
  box.style.top = `${below ? place.bottom + 4 : Math.max(4, place.top - box.offsetHeight - 4)}px`;
  box.style.left = `${Math.max(4, Math.min(place.left, innerWidth - box.offsetWidth - 8))}px`;
  box.querySelector("button")?.focus();
  box.addEventListener("keydown", (event) => {
    const items = [...box.querySelectorAll("button")];
    const now = items.indexOf(document.activeElement);
    if (event.key === "ArrowDown") items[(now + 1) % items.length].focus();
    else if (event.key === "ArrowUp") items[(now - 1 + items.length) % items.length].focus();
    else if (event.key === "Escape") { closeMenus(); button.focus(); }
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
}

export function closeMenus() {
  for (const box of document.querySelectorAll(".popup")) box.remove();
}

document.addEventListener("pointerdown", (event) => {
  if (!event.target.closest(".popup")) closeMenus();
});
// Only after the click has landed: what closes earlier moves the button away from under the pointer.
document.addEventListener("click", (event) => {
  for (const open of document.querySelectorAll("details.overflow[open], details.several[open]")) {
    if (!open.contains(event.target)) open.open = false;
  }
});
