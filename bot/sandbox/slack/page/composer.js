// The message box: grows, sends on Enter, completes slash commands, runs shortcuts, takes files.

import { h, icon, menu, toast } from "./dom.js";
import { post, store, upload } from "./net.js";

const drafts = new Map();

/** A composer in `place`; `target()` says where it writes: channel, name, and thread_ts inside a thread. */
export function composer(place, target) {
  const list = h("div", { class: "completion", role: "listbox", id: `${place.id}-list`, hidden: true, "aria-label": "Commands" });
  const input = h("textarea", { id: place.id === "composer-place" ? "composer-input" : `${place.id}-input`, rows: "1",
    class: "composer-input", role: "combobox", "aria-expanded": "false", "aria-controls": list.id, "aria-autocomplete": "list" });
  const send = h("button", { type: "button", class: "send", "aria-label": "Send", disabled: true, onclick: submit }, icon("send"));
  const picker = h("input", { type: "file", hidden: true, onchange: attach });
  const attachButton = h("button", { type: "button", class: "plain-button", "aria-label": "Attach a file", title: "Attach a file",
    onclick: () => picker.click() }, icon("plus"));
  const shortcutButton = h("button", { type: "button", class: "plain-button", "aria-label": "Shortcuts", title: "Shortcuts",
    onclick: shortcuts }, icon("bolt"));
  const box = h("div", { class: "composer" }, input,
    h("div", { class: "composer-foot" }, attachButton, shortcutButton, picker,
      h("span", { class: "composer-tip" }, "Enter sends · Shift+Enter starts a new line"), send));
  place.replaceChildren(list, box);
  let chosen = 0;
  let sending = false;

  const key = () => `${target().channel}/${target().thread_ts || ""}`;

  function resize() {
    input.style.height = "auto";
    input.style.height = `${Math.min(input.scrollHeight, 180)}px`;
    send.disabled = !input.value.trim() || sending;
    drafts.set(key(), input.value);
    complete();
  }

  function matches() {
    const typed = input.value;
    if (!typed.startsWith("/") || /\s/.test(typed)) return [];
    return store.state.commands.filter((command) => command.command.startsWith(typed.toLowerCase()));
  }

  function complete() {
    const found = matches();
    list.hidden = !found.length;
    input.setAttribute("aria-expanded", String(found.length > 0));
    chosen = Math.min(chosen, Math.max(0, found.length - 1));
    list.replaceChildren(...found.map((command, index) => h("div", { class: index === chosen ? "option chosen" : "option",
      role: "option", id: `${list.id}-${index}`, "aria-selected": String(index === chosen),
      onpointerdown: (event) => { event.preventDefault(); take(command); } },
    h("span", { class: "option-command" }, command.command), h("span", { class: "option-hint" }, command.usage_hint || ""),
    h("span", { class: "option-words" }, command.description || ""))));
    if (found.length) input.setAttribute("aria-activedescendant", `${list.id}-${chosen}`);
    else input.removeAttribute("aria-activedescendant");
  }

  function take(command) {
    fill(`${command.command} `);
  }

  function fill(text) {
    input.value = text;
    resize();
    input.focus();
    input.setSelectionRange(text.length, text.length);
  }

  async function submit() {
    const text = input.value;
    if (!text.trim() || sending) return;
    sending = true;
    send.classList.add("pending");
    send.disabled = true;
    fill("");
    try {
      await post("message", { ...target(), text });
    } catch (error) {
      toast(error.message);
      if (!input.value) fill(text);
    } finally {
      sending = false;
      send.classList.remove("pending");
      resize();
    }
  }

  async function attach() {
    for (const file of picker.files) await upload(target().channel, file, input.value).catch((error) => toast(error.message));
    picker.value = "";
    fill("");
  }

  function shortcuts() {
    const known = store.state.shortcuts.filter((shortcut) => shortcut.type === "global");
    const run = (id) => post("shortcut", { callback_id: id, channel: target().channel }).catch((error) => toast(error.message));
    const commands = store.state.commands.map((command) => [`${command.command}  ${command.description || ""}`, () => take(command)]);
    menu(shortcutButton, [...known.map((shortcut) => [`⚡ ${shortcut.name}`, () => run(shortcut.callback_id)]), ...commands]);
  }

  input.addEventListener("input", resize);
  input.addEventListener("blur", () => { list.hidden = true; });
  input.addEventListener("keydown", (event) => {
    const found = list.hidden ? [] : matches();
    if (found.length && ["ArrowDown", "ArrowUp"].includes(event.key)) {
      chosen = (chosen + (event.key === "ArrowDown" ? 1 : found.length - 1)) % found.length;
      complete();
    } else if (found.length && (event.key === "Tab" || (event.key === "Enter" && found[chosen].command !== input.value.trim()))) {
      take(found[chosen]);
    } else if (found.length && event.key === "Escape") {
      list.hidden = true;
    } else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      submit();
    } else return;
    event.preventDefault();
  });

  return {
    fill,
    /** Shows the draft of the place it now writes to. */
    turn() {
      const { name, thread_ts: thread } = target();
      const words = thread ? "Reply…" : `Message ${name}`;
      input.placeholder = words;
      input.setAttribute("aria-label", words);
      shortcutButton.hidden = Boolean(thread);
      attachButton.hidden = Boolean(thread);
      input.value = drafts.get(key()) || "";
      resize();
      list.hidden = true;
    },
  };
}
