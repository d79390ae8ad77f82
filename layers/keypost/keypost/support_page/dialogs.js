/** What the page asks and tells. */
import { el, svg } from "./dom.js";
import { t } from "./words.js";

const status = document.getElementById("status");
let clearing;

/** Say that something is done: seen for a while, and read aloud. What an agent must know stays on the page instead. */
export function tell(text) {
  clearTimeout(clearing);
  status.textContent = text;
  clearing = setTimeout(() => status.replaceChildren(), 8000);
}

/** A problem in the words of the API, with what can be done about it at once. */
export function notice(problem, ...actions) {
  const faults = (problem.about?.errors ?? []).map((fault) => el("li", {}, fault.detail));
  return el("div", { class: "notice bad" },
    faults.length > 0 ? el("ul", {}, faults) : el("p", {}, problem.message),
    actions.length > 0 && el("div", { class: "buttons" }, actions));
}

/** A button whose work takes a while: until it is done it says so, and does nothing else. */
export async function busy(button, work) {
  if (button.ariaDisabled === "true") return;
  const words = button.textContent;
  button.ariaDisabled = "true";
  button.textContent = t("busy");
  try {
    await work();
  } finally {
    button.ariaDisabled = null;
    button.textContent = words;
  }
}

let asked; // the dialog with a form that is open: `{opener, choice, form}`
let chosen; // by which of the buttons of a choice a dialog is being opened

/**
 * A dialog with a form. `send` gets its values and one key for all its tries, and `done` the answer; when `send` throws, the
 * dialog stays and says why, with a button for each of `offers(problem)`: `[text, values]` sends again with other values.
 * `confirm: [text, values]` sends with these. `others` are buttons that close it and do something else: `[text, action]`.
 */
export function ask({ title, intro, fields = [], confirm, send, done, offers = () => [], others = [] }) {
  tell("");
  const [words, own] = [confirm].flat();
  const wish = crypto.randomUUID();
  const told = el("div", { role: "alert" });
  const submit = el("button", { class: "main", type: "submit" }, words);
  const cancel = el("button", { type: "button", onclick: () => dialog.close() }, t("cancel"));
  const instead = others.map(([text, action]) => el("button", { type: "button", onclick: () => { dialog.close(); action(); } }, text));
  const form = el("form", { method: "dialog" }, fields, told, el("div", { class: "buttons" }, cancel, instead, submit));
  const { dialog } = opened(title, intro && el("p", {}, intro), form);
  asked = { opener: document.activeElement.id, choice: chosen, form };

  const sent = (other, button = submit) => busy(button, async () => {
    told.replaceChildren();
    try {
      const filled = [...new FormData(form)].map(([name, value]) => [name, value.trim?.() ?? value]).filter(([, value]) => value !== "");
      const answer = await send({ ...Object.fromEntries(filled), ...own, ...other }, { "Idempotency-Key": wish });
      dialog.close();
      done(answer);
    } catch (problem) {
      const offered = offers(problem).map(([text, values]) =>
        el("button", { type: "button", onclick: (event) => sent(values, event.target) }, text));
      told.replaceChildren(notice(problem, ...offered));
    }
  });

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (![...form.querySelectorAll("[aria-disabled]")].length) sent();
  });
  dialog.addEventListener("close", () => { asked = undefined; });
  dialog.showModal();
}

/** A dialog that shows something. */
export function show(title, ...content) {
  const close = el("button", { type: "button", onclick: () => dialog.close() }, t("shut"));
  const { dialog } = opened(title, ...content, el("div", { class: "buttons" }, close));
  dialog.classList.add("wide");
  dialog.showModal();
  return dialog;
}

/** A dialog of buttons, of which one is chosen. */
export function choose(title, choices) {
  const dialog = show(title, el("div", { class: "choices" }, choices.map(([text, action], n) =>
    el("button", { type: "button", onclick: () => choice(n, action) }, text))));
  const choice = (n, action) => {
    dialog.close();
    chosen = n;
    action();
    chosen = undefined;
  };
  dialog.classList.remove("wide");
}

function opened(title, ...content) {
  const heading = el("h2", { id: "dialog-title" }, title);
  const dialog = el("dialog", { "aria-labelledby": "dialog-title" }, heading, content);
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  return { dialog };
}

/** What stands in the open dialog, so that it can be opened again after signing in. */
export function typed() {
  return asked?.opener ? { opener: asked.opener, choice: asked.choice, values: [...new FormData(asked.form)].filter(([, value]) => typeof value === "string") } : null;
}

/** Open a dialog again as it was: by the button that opened it, and the choice that was made there. */
export function reopen({ opener, choice, values }) {
  const button = document.getElementById(opener);
  if (!button || button.disabled) return;
  button.focus();
  button.click();
  if (choice !== undefined) document.querySelectorAll(".choices button")[choice]?.click();
  for (const [name, value] of asked ? values : []) {
    for (const input of asked.form.querySelectorAll(`[name="${name}"]`)) {
      if (["radio", "checkbox"].includes(input.type)) input.checked = input.value === value;
      else input.value = value;
    }
  }
}

/** A labeled field of a form. */
export function field(label, input, hint) {
  const { id } = input;
  if (hint) input.setAttribute("aria-describedby", `${id}-hint`);
  return el("div", { class: "field" },
    el("label", { for: id }, label),
    input,
    hint && el("p", { class: "hint", id: `${id}-hint` }, hint));
}

/** A button that copies a text; none where the browser cannot. */
export function copier(text, what) {
  return navigator.clipboard && el("button", {
    type: "button", class: "plain copy", "aria-label": t("copyWhat", { what }), title: t("copyWhat", { what }),
    onclick: async () => {
      await navigator.clipboard.writeText(text);
      tell(t("copied", { what }));
    },
  }, svg("svg", { viewBox: "0 0 20 20", "aria-hidden": "true", focusable: "false" },
    svg("rect", { x: 7, y: 7, width: 10, height: 10, rx: 2 }), svg("path", { d: "M13 4V3H3v10h1" })));
}
