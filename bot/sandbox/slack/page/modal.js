// The open modal: drawn from the server's view, focus kept inside, Esc closes, errors stand at their fields.

import { markBusy, wire } from "./actions.js";
import { byId, h, icon, localise, toast } from "./dom.js";
import { prepare, remembered, restore, values } from "./forms.js";
import { get, post } from "./net.js";

const dialog = byId("modal");
const entered = new Map();
let shown = null;
let sending = null;

const container = () => ({ type: "view", view_id: shown?.id });

const signature = (view) => JSON.stringify({ ...view, errors: null });

/** Fetches the top view and shows it, or closes the dialog when there is none. */
export async function refreshModal() {
  const { view } = await get("view");
  if (!view) return hide();
  if (shown && signature(shown) === signature(view)) return showErrors(view.errors);
  keep();
  const same = shown?.id === view.id;
  const focused = same ? document.activeElement?.name : "";
  shown = view;
  draw(view);
  restore(dialog, entered.get(view.id));
  if (!dialog.open) dialog.showModal();
  const field = focused && dialog.querySelector(`[name="${CSS.escape(focused)}"]`);
  (field || firstField())?.focus();
}

const firstField = () =>
  dialog.querySelector("[aria-invalid=true], [autofocus]") || dialog.querySelector(".modal-body :is(input, select, textarea, button, summary)") ||
  dialog.querySelector("button[type=submit]");

function keep() {
  if (shown && dialog.open) entered.set(shown.id, remembered(dialog));
}

function hide() {
  shown = null;
  entered.clear();
  if (dialog.open) dialog.close();
}

function draw(view) {
  const body = h("div", { class: "modal-body", "data-surface": "view" });
  body.innerHTML = view.html;
  const back = view.depth > 1
    ? h("button", { type: "button", class: "plain-button", "aria-label": "Back", onclick: () => close(false) }, icon("back"))
    : null;
  const foot = h("div", { class: "modal-foot" },
    h("button", { type: "button", class: "button", onclick: () => close(false) }, view.close || "Close"),
    view.submit ? h("button", { type: "submit", class: "button button-primary" }, view.submit) : null,
  );
  const form = h("form", { novalidate: true, onsubmit: submit },
    h("div", { class: "modal-head" }, back, h("h2", { id: "modal-title" }, view.title || ""),
      h("button", { type: "button", class: "plain-button", "aria-label": "Close", onclick: () => close(true) }, icon("close"))),
    body, foot,
  );
  dialog.replaceChildren(form);
  prepare(body, container());
  localise(body);
  markBusy(body, container());
}

function showErrors(errors = {}) {
  for (const block of dialog.querySelectorAll(".block-input")) {
    const words = errors[block.dataset.block] || "";
    const line = block.querySelector(".input-error");
    line.textContent = words;
    line.hidden = !words;
    for (const control of block.querySelectorAll("[aria-describedby]")) {
      if (words) control.setAttribute("aria-invalid", "true");
      else control.removeAttribute("aria-invalid");
    }
  }
}

async function submit(event) {
  event.preventDefault();
  const asked = shown?.id;
  // Errors may be seen before the answer that brings them is here: who corrects them at once is not to press in vain.
  while (sending) await sending;
  if (!shown || shown.id !== asked) return;
  sending = send(asked);
  await sending;
}

async function send(asked) {
  const button = dialog.querySelector("button[type=submit]");
  button?.classList.add("pending");
  button?.setAttribute("aria-busy", "true");
  try {
    const { errors } = await post("submit", { view_id: asked, values: values(dialog) });
    if (errors && shown?.id === asked) {
      showErrors(errors);
      dialog.querySelector("[aria-invalid=true]")?.focus();
    } else if (!errors) {
      entered.delete(asked);
      await refreshModal();
    }
  } catch (error) {
    toast(error.message);
  } finally {
    sending = null;
    button?.classList.remove("pending");
    button?.removeAttribute("aria-busy");
  }
}

async function close(clear) {
  if (!shown) return;
  try {
    await post("close", { view_id: shown.id, clear });
    await refreshModal();
  } catch (error) {
    toast(error.message);
    hide();
  }
}

dialog.addEventListener("cancel", (event) => {
  event.preventDefault();
  close(false);
});
wire(dialog, () => container());
