/** What payment providers and shops told that changed nothing, the newest first. */
import { ofOrder } from "./addresses.js";
import { call } from "./api.js";
import { busy, notice } from "./dialogs.js";
import { el } from "./dom.js";
import { capital, moment, said, t } from "./words.js";

const DAYS = [7, 30, 400];

let days = DAYS[0];
let page; // {items, next}
let place;

export const title = () => t("inbox");

export async function show(main) {
  const choice = el("select", { id: "inbox-days", onchange: ({ target }) => { days = Number(target.value); page = undefined; load(); } },
    DAYS.map((n) => el("option", { value: n, selected: n === days }, t("daysBack", { n }))));
  place = el("section", { class: "card", "aria-label": t("inbox") });
  main.replaceChildren(
    el("div", { class: "head" },
      el("h1", { tabindex: "-1" }, t("inbox")),
      el("div", { class: "choice" }, el("label", { for: "inbox-days", class: "unseen" }, t("reportPeriod")), choice,
        el("button", { type: "button", class: "small", onclick: ({ target }) => busy(target, load) }, t("refresh")))),
    el("p", { class: "quiet" }, t("inboxIntro")),
    place);
  if (page) draw();
  else await load();
}

export function forget() {
  page = undefined;
}

/** In another language the API says it again. */
export const reword = forget;

async function load() {
  place.replaceChildren(el("p", { class: "quiet" }, t("loading")));
  try {
    page = await call("GET", `inbox?days=${days}`);
    draw();
  } catch (problem) {
    place.replaceChildren(el("div", { role: "alert" }, notice(problem)));
  }
}

async function more() {
  const next = await call("GET", `inbox?days=${days}&next=${encodeURIComponent(page.next)}`);
  page = { items: [...page.items, ...next.items], next: next.next };
  draw();
}

function draw() {
  const entries = page.items.map(({ at, provider, order_id: id, reason }) => el("li", {},
    el("p", {}, capital(reason.text)),
    el("p", { class: "quiet small" },
      capital(said("provider", provider)), " · ", el("time", { datetime: at }, moment(at)),
      id && [" · ", el("a", { href: ofOrder(id), class: "number" }, id)])));
  place.replaceChildren(...[
    entries.length > 0 ? el("ol", { class: "list" }, entries) : el("p", { class: "empty" }, t("nothingInbox")),
    page.next && el("div", { class: "buttons" }, el("button", { type: "button", onclick: ({ target }) => busy(target, more) }, t("showMore"))),
  ].filter(Boolean));
}
