/** What was looked for, and what was found. The words stay in this tab; the address only says that it is a search. */
import { ofOrder } from "./addresses.js";
import { notice } from "./dialogs.js";
import { el } from "./dom.js";
import { find } from "./find.js";
import { remembered } from "./session.js";
import { count, moment, said, t } from "./words.js";

let found; // what became of the search: `{text, orders, total, names}` or `{text, problem}`
let place;

export const title = () => t("searchTitle");
export const looked = () => remembered.get("search") ?? "";

export async function show(main) {
  place = el("section", { class: "stack", "aria-label": t("result") });
  main.replaceChildren(el("h1", { tabindex: "-1" }, t("searchTitle")), place);
  if (!looked()) return place.replaceChildren(el("p", { class: "empty" }, t("searchHint")));
  if (found?.text !== looked()) await search(looked());
  return draw();
}

export function forget() {
  found = undefined;
}

/** In another language the API says it again. */
export const reword = forget;

/** Look for a text; of one order that is found the page shows the story at once. */
export async function look(text) {
  remembered.keep("search", text);
  found = undefined;
  if (location.hash !== "#/search") {
    location.hash = "#/search"; // which searches
    return;
  }
  await search(text);
  draw();
  place.querySelector("h2")?.focus();
}

async function search(text) {
  place.ariaBusy = "true";
  place.replaceChildren(el("p", { class: "quiet" }, t("looking")));
  const mine = { text };
  try {
    Object.assign(mine, await find(text));
  } catch (problem) {
    mine.problem = problem;
  }
  if (looked() !== text) return; // another one was looked for meanwhile
  found = mine;
  if (mine.total === 1 && location.hash === "#/search") location.hash = ofOrder(mine.orders[0].order_id);
}

function draw() {
  if (!place?.isConnected || !found) return;
  place.ariaBusy = "false";
  if (found.problem) place.replaceChildren(el("div", { role: "alert" }, notice(found.problem)));
  else place.replaceChildren(found.orders.length > 0 ? list(found) : nothing());
}

function list({ orders, total, names }) {
  const entries = orders.map((order) => el("li", {},
    el("a", { href: ofOrder(order.order_id) },
      el("span", {}, el("b", {}, order.order_id), order.name && ` · ${order.name}`, ` · ${order.products.map((sku) => names?.[sku] ?? sku).join(", ")}`),
      el("span", { class: "quiet small" }, said("standing", order.standing), " · ", moment(order.created_at)))));
  return el("div", { class: "card" },
    el("h2", { tabindex: "-1", "data-focus": true }, count("found", total)),
    total > orders.length && el("p", {}, t("newestShown", { n: orders.length })),
    el("ul", { class: "found" }, entries));
}

function nothing() {
  return el("div", { class: "card" }, el("h2", { tabindex: "-1", "data-focus": true }, t("found.none")), el("p", {}, t("foundNoneHint")));
}
