// Reads and fills the form controls of blocks: raw values by name, sources that the page knows, values that survive.

import { h } from "./dom.js";
import { get, store } from "./net.js";

const GIVEN = {
  static_select: "selected_option", external_select: "selected_option", radio_buttons: "selected_option",
  overflow: "selected_option", users_select: "selected_user", channels_select: "selected_channel",
  conversations_select: "selected_conversation", checkboxes: "selected_options",
  multi_static_select: "selected_options", multi_external_select: "selected_options",
  multi_users_select: "selected_users", multi_channels_select: "selected_channels",
  multi_conversations_select: "selected_conversations", datepicker: "selected_date", timepicker: "selected_time",
  datetimepicker: "selected_date_time",
};
export const givenName = (type) => GIVEN[type] || "value";

const epoch = (local) => (local ? Math.floor(new Date(local).getTime() / 1000) : "");
const localTime = (seconds) => {
  const moment = new Date(Number(seconds) * 1000);
  return new Date(moment - moment.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
};

/** The raw value of one control: a string, or a list for boxes and files. */
export function rawValue(control, root) {
  const same = () => [...root.querySelectorAll(`[name="${CSS.escape(control.name)}"]`)];
  switch (control.type) {
    case "checkbox": return same().filter((box) => box.checked).map((box) => box.value);
    case "radio": return same().find((box) => box.checked)?.value ?? "";
    case "file": return [...control.files].map((file) => file.name);
    case "datetime-local": return epoch(control.value);
    default: return control.value;
  }
}

/** Every input of a form by block and action id. */
export function values(root) {
  const found = {};
  for (const control of root.querySelectorAll(".block-input [name][data-block-id]")) {
    const { blockId, actionId } = control.dataset;
    (found[blockId] ??= {})[actionId] = rawValue(control, root);
  }
  return found;
}

/** What a person has entered, so that it survives a new rendering of the same form. */
export function remembered(root) {
  return [...root.querySelectorAll("[name][data-block-id]")]
    .filter((control) => control.type !== "file")
    .map((control) => ({ name: control.name, own: control.value, value: control.value, checked: control.checked }));
}

export function restore(root, entries) {
  for (const entry of entries || []) {
    for (const control of root.querySelectorAll(`[name="${CSS.escape(entry.name)}"]`)) {
      if (control.type === "checkbox" || control.type === "radio") {
        if (control.value === entry.own) control.checked = entry.checked;
      } else if (control.type !== "file" && !(control.tagName === "SELECT" && !hasOption(control, entry.value))) {
        control.value = entry.value;
      }
    }
  }
  root.querySelectorAll("details.several").forEach(summarise);
}

const hasOption = (select, value) => [...select.options].some((option) => option.value === value);

function known(source) {
  if (source === "users") return store.state.users.map((user) => [user.id, user.real_name || user.name]);
  const channels = store.state.channels.filter((channel) => source === "conversations" || !channel.is_im);
  return channels.map((channel) => [channel.id, channel.is_im ? channel.name : `#${channel.name}`]);
}

/** Makes controls whole: people and channels, external options, local times, what a menu of boxes has chosen. */
export function prepare(root, container) {
  for (const select of root.querySelectorAll("select[data-source]")) {
    if (select.dataset.source === "external") continue;
    for (const [id, name] of known(select.dataset.source)) select.append(h("option", { value: id }, name));
    if (select.dataset.initial) select.value = select.dataset.initial;
  }
  for (const field of root.querySelectorAll("[data-epoch]")) field.value = localTime(field.dataset.epoch);
  for (const group of root.querySelectorAll("details.several")) prepareSeveral(group, container);
  for (const box of root.querySelectorAll(".external")) prepareExternal(box, container);
}

function prepareSeveral(group, container) {
  const { source } = group.dataset;
  const chosen = (group.dataset.initial || "").split(" ");
  if (source && source !== "external") {
    for (const [id, name] of known(source)) addBox(group, id, name, chosen.includes(id));
  } else if (source === "external") {
    const search = h("input", { type: "search", class: "field", placeholder: "Search…", "aria-label": "Search options" });
    group.querySelector(".menu").before(search);
    search.addEventListener("input", () => offer(JSON.parse(group.dataset.control), container, search.value, (options) => {
      for (const box of group.querySelectorAll(".choice")) if (!box.querySelector("input").checked) box.remove();
      for (const option of options) {
        const taken = [...group.querySelectorAll("input[type=checkbox]")].some((box) => box.value === option.value);
        if (!taken) addBox(group, option.value, option.text.text, false);
      }
    }));
  }
  group.addEventListener("change", () => summarise(group));
  summarise(group);
}

function addBox(group, value, name, checked) {
  const box = h("input", { ...JSON.parse(group.dataset.control), type: "checkbox", value, checked });
  group.querySelector(".menu").append(h("label", { class: "choice" }, box, h("span", {}, name)));
}

function summarise(group) {
  const summary = group.querySelector("summary");
  summary.dataset.empty ??= summary.textContent;
  const chosen = [...group.querySelectorAll("input[type=checkbox]")].filter((box) => box.checked);
  const most = Number(group.dataset.maximum || Infinity);
  for (const box of group.querySelectorAll("input[type=checkbox]")) box.disabled = !box.checked && chosen.length >= most;
  summary.textContent = chosen.map((box) => box.closest("label").textContent).join(", ") || summary.dataset.empty;
}

function prepareExternal(box, container) {
  const [search, select] = [box.querySelector("input"), box.querySelector("select")];
  const place = { "data-block-id": select.dataset.blockId, "data-action-id": select.dataset.actionId };
  search.addEventListener("input", () => {
    if (search.value.length < Number(box.dataset.minimum)) return;
    offer(place, container, search.value, (options) => {
      const nothing = select.options[0];
      select.replaceChildren(nothing);
      for (const option of options) {
        const properties = { value: option.value, "data-option": JSON.stringify(option) };
        select.append(h("option", properties, option.text?.text || option.value));
      }
    });
  });
}

const asked = new Map();
async function offer(control, container, typed, show) {
  const place = { block_id: control["data-block-id"], action_id: control["data-action-id"] };
  const key = `${place.block_id}/${place.action_id}`;
  asked.set(key, typed);
  const { type, ...where } = container;
  const { options } = await get("options", { ...where, ...place, value: typed }).catch(() => ({ options: [] }));
  if (asked.get(key) === typed) show(options);
}
