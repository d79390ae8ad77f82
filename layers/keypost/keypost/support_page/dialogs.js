/** What the page asks and tells. */
import { el } from "./dom.js";
import { t } from "./words.js";

const status = document.getElementById("status");
let clearing;

/** Say that something is done: seen for a while, and read aloud. */
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

/**
 * A dialog with a form. `send` gets its values, and `done` the answer; when `send` throws, the dialog stays and says
 * why, with a button for each of `offers(problem)`: `[text, values]` sends again with other values.
 */
export function ask({ title, intro, fields = [], confirm, send, done, offers = () => [] }) {
  tell("");
  let busy = false;
  const told = el("div", { role: "alert" });
  const submit = el("button", { class: "main", type: "submit" }, confirm);
  const cancel = el("button", { type: "button", onclick: () => dialog.close() }, t("cancel"));
  const form = el("form", { method: "dialog" }, fields, told, el("div", { class: "buttons" }, cancel, submit));
  const heading = el("h2", { id: "dialog-title" }, title);
  const dialog = el("dialog", { "aria-labelledby": "dialog-title" }, heading, intro && el("p", {}, intro), form);

  async function sent(other = {}) {
    if (busy) return;
    busy = true;
    submit.setAttribute("aria-disabled", "true");
    told.replaceChildren();
    try {
      const filled = [...new FormData(form)].filter(([, value]) => value !== "");
      const answer = await send({ ...Object.fromEntries(filled), ...other });
      dialog.close();
      done(answer);
    } catch (problem) {
      const offered = offers(problem).map(([text, values]) =>
        el("button", { type: "button", onclick: () => sent(values) }, text));
      told.replaceChildren(notice(problem, ...offered));
    } finally {
      busy = false;
      submit.removeAttribute("aria-disabled");
    }
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    sent();
  });
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
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
