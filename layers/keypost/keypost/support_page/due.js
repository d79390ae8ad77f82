/** What will leave within 14 days, and what will not and why. */
import { call } from "./api.js";
import { notice } from "./dialogs.js";
import { el } from "./dom.js";
import { lookUp } from "./orders.js";
import { capital, count, said, t, weekday } from "./words.js";

const DAYS = 14;

let due;
let place;

export function show(main) {
  place = el("section", { class: "card", "aria-label": t("due") });
  main.replaceChildren(
    el("div", { class: "head" }, el("h1", {}, t("due")), el("button", { type: "button", class: "small", onclick: load }, t("refresh"))),
    place);
  if (due) draw();
  else load();
}

export function forget() {
  due = undefined;
}

/** In another language the API says it again. */
export const reword = forget;

async function load() {
  place.ariaBusy = "true";
  place.replaceChildren(el("p", { class: "quiet" }, t("loading")));
  try {
    due = await call("GET", `due?days=${DAYS}`);
    draw();
  } catch (problem) {
    place.replaceChildren(el("div", { role: "alert" }, notice(problem)));
  }
  place.ariaBusy = "false";
}

function draw() {
  const days = Map.groupBy(due, (mail) => mail.day ?? "");
  const known = [...days.keys()].filter(Boolean).sort();
  const groups = [...known, ...(days.has("") ? [""] : [])];
  place.replaceChildren(groups.length === 0
    ? el("p", { class: "empty" }, t("nothingDue"))
    : el("ol", { class: "days" }, groups.map((day) => el("li", {},
        el("h2", {}, day ? weekday(day) : t("noDay"), " ", el("span", { class: "quiet small" }, count("mailsDue", days.get(day).length))),
        table(days.get(day))))));
}

function table(mails) {
  const rows = mails.map((mail) => el("tr", {},
    el("th", { scope: "row" }, el("button", { type: "button", class: "plain", onclick: () => lookUp(mail.order_id) }, mail.order_id)),
    el("td", { "data-label": t("mail") }, capital(said("purpose", mail.purpose ?? "unknown"))),
    el("td", { "data-label": t("leaves") }, mail.why_not
      ? el("span", {}, el("span", { class: "pill wait" }, t("keptBack")), " ", mail.why_not.text)
      : el("span", { class: "pill good" }, t("ready")))));
  return el("table", { class: "cards" },
    el("thead", {}, el("tr", {}, ["orderNumber", "mail", "leaves"].map((name) => el("th", { scope: "col" }, t(name))))),
    el("tbody", {}, rows));
}
