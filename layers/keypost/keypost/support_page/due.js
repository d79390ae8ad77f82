/** What will leave within some days, and what will not and why. */
import { ofOrder } from "./addresses.js";
import { call } from "./api.js";
import { busy, notice } from "./dialogs.js";
import { el } from "./dom.js";
import { capital, count, said, t, today, weekday } from "./words.js";

const DAYS = [14, 60, 366];

let days = DAYS[0];
let due;
let place;

export const title = () => t("coming");

export async function show(main) {
  const choice = el("select", { id: "due-days", onchange: ({ target }) => { days = Number(target.value); load(); } },
    DAYS.map((n) => el("option", { value: n, selected: n === days }, t("daysAhead", { n }))));
  place = el("section", { class: "card", "aria-label": t("coming") });
  main.replaceChildren(
    el("div", { class: "head" },
      el("h1", { tabindex: "-1" }, t("coming")),
      el("div", { class: "choice" }, el("label", { for: "due-days", class: "unseen" }, t("reportPeriod")), choice,
        el("button", { type: "button", class: "small", onclick: ({ target }) => busy(target, load) }, t("refresh")))),
    place);
  if (due) draw();
  else await load();
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
    due = await call("GET", `due?days=${days}`);
    draw();
  } catch (problem) {
    place.replaceChildren(el("div", { role: "alert" }, notice(problem)));
  }
  place.ariaBusy = "false";
}

async function more() {
  const page = await call("GET", `due${due.next}`);
  due = Object.assign([...due, ...page], { next: page.next });
  draw();
}

function draw() {
  const byDay = Map.groupBy(due, (mail) => mail.day ?? "");
  const known = [...byDay.keys()].filter(Boolean).sort();
  const groups = [...known, ...(byDay.has("") ? [""] : [])];
  place.replaceChildren(...[
    groups.length > 0 && el("ol", { class: "days" }, groups.map((day) => el("li", {}, heading(day, byDay.get(day)), table(byDay.get(day))))),
    groups.length === 0 && !due.next && el("p", { class: "empty" }, t("nothingDue")),
    due.next && el("div", { class: "buttons" }, el("button", { type: "button", onclick: ({ target }) => busy(target, more) }, t("showMore"))),
  ].filter(Boolean));
}

function heading(day, mails) {
  const leaving = mails.filter((mail) => !mail.why_not).length;
  const counts = [leaving > 0 && count("mailsDue", leaving), mails.length > leaving && count("mailsKept", mails.length - leaving)];
  return el("h2", {}, day ? weekday(day) : t("noDay"), " ",
    day && day < today() && [el("span", { class: "pill bad" }, t("overdue")), " "],
    el("span", { class: "quiet small" }, counts.filter(Boolean).join(", ")));
}

function table(mails) {
  const rows = mails.map((mail) => el("tr", {},
    el("th", { scope: "row" }, el("a", { href: ofOrder(mail.order_id), class: "number" }, mail.order_id)),
    el("td", { "data-label": t("customer") }, mail.customer ?? "–"),
    el("td", { "data-label": t("product") }, Object.values(mail.products).join(", ") || "–"),
    el("td", { "data-label": t("mail") }, capital(said("purpose", mail.purpose ?? "unknown"))),
    el("td", { "data-label": t("leaves") }, mail.why_not
      ? el("span", {}, el("span", { class: "pill wait" }, t("keptBack")), " ", mail.why_not.text)
      : el("span", { class: "pill good" }, t("ready")))));
  return el("table", { class: "cards" },
    el("thead", {}, el("tr", {}, ["orderNumber", "customer", "product", "mail", "leaves"].map((name) => el("th", { scope: "col" }, t(name))))),
    el("tbody", {}, rows));
}
