// What happens when somebody uses an element of a block: confirm, send, wait, and say what went wrong.

import { byId, h, toast } from "./dom.js";
import { givenName, rawValue, values } from "./forms.js";
import { post } from "./net.js";

/** Asks before an action, in the words of its confirm object. */
export function confirmed(words) {
  const dialog = byId("confirm");
  const text = (key, fallback) => words[key]?.text || fallback;
  const danger = words.style === "danger" ? "button button-danger" : "button button-primary";
  return new Promise((resolve) => {
    const finish = (answer) => { dialog.close(); resolve(answer); };
    dialog.oncancel = (event) => { event.preventDefault(); finish(false); };
    dialog.replaceChildren(
      h("h2", { id: "confirm-title", class: "confirm-title" }, text("title", "Are you sure?")),
      words.html ? Object.assign(h("div", { class: "confirm-text" }), { innerHTML: words.html }) : h("div", { class: "confirm-text" }, text("text", "")),
      h("div", { class: "modal-foot" },
        h("button", { type: "button", class: "button", onclick: () => finish(false) }, text("deny", "Cancel")),
        h("button", { type: "button", class: danger, autofocus: true, onclick: () => finish(true) }, text("confirm", "Yes")),
      ),
    );
    dialog.showModal();
  });
}

const busy = new Set();
const keyOf = (container, control) =>
  [container.ts || container.view_id, control.dataset.blockId, control.dataset.actionId, control.dataset.value].join("/");

/** Marks the controls that are waiting for an answer; also after the message around them was drawn again. */
export function markBusy(root, container) {
  for (const control of root.querySelectorAll("[data-action-id]")) {
    control.classList.toggle("pending", busy.has(keyOf(container, control)));
    if (busy.has(keyOf(container, control))) control.setAttribute("aria-busy", "true");
    else control.removeAttribute("aria-busy");
  }
}

async function act(control, root, container, given) {
  const key = keyOf(container, control);
  if (busy.has(key)) return;
  if (control.dataset.confirm && !(await confirmed(JSON.parse(control.dataset.confirm)))) return;
  if (control.dataset.url) window.open(control.dataset.url, "_blank", "noopener,noreferrer");
  busy.add(key);
  markBusy(root, container);
  const entered = container.type === "view" ? { values: values(root) } : {};
  const { blockId, actionId } = control.dataset;
  try {
    await post("click", { container, block_id: blockId, action_id: actionId, ...given, ...entered });
  } catch (error) {
    toast(error.message);
  } finally {
    busy.delete(key);
    markBusy(root, container);
  }
}

const acts = (control) => !control.closest(".block-input") || control.dataset.dispatch !== undefined;

/** Listens to every element below `root`; `containerOf` tells where an element stands. */
export function wire(root, containerOf) {
  root.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-action-id]");
    if (!button || button.disabled || !root.contains(button)) return;
    const container = containerOf(button);
    if (!container) return;
    const given = button.dataset.option
      ? { selected_option: JSON.parse(button.dataset.option) }
      : { value: button.dataset.value || "" };
    button.closest("details.overflow")?.removeAttribute("open");
    act(button, button.closest("[data-surface]"), container, given);
  });
  root.addEventListener("change", (event) => {
    const control = event.target.closest("[name][data-action-id]");
    if (!control || control.type === "file" || !acts(control) || isText(control)) return;
    send(control);
  });
  root.addEventListener("keydown", (event) => {
    const control = event.target.closest("input[name][data-action-id]");
    if (event.key === "Enter" && control && isText(control) && control.dataset.dispatch !== undefined) {
      event.preventDefault();
      send(control);
    }
  });

  function send(control) {
    const container = containerOf(control);
    const surface = control.closest("[data-surface]");
    if (!container || !surface) return;
    act(control, surface, container, { [givenName(control.dataset.type)]: rawValue(control, surface) });
  }
}

const isText = (control) => /_input$/.test(control.dataset.type || "");
