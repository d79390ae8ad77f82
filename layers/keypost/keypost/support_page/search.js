/**
 * The newest orders, or those that were looked for. The words stay in this tab; the address only says that it is a search.
 */
import { ofOrder } from "./addresses.js";
import { month } from "./bookkeeper.js";
import { busy, notice } from "./dialogs.js";
import { el } from "./dom.js";
import { find, findMore, newest } from "./find.js";
import { byHand } from "./more.js";
import { remembered } from "./session.js";
import { count, daysAgo, moment, said, t } from "./words.js";

const DAYS = [60, 365, 3650];

let found; // what became of the search: `{text, orders, total, names, next, looked}` or `{text, problem}`
let days = DAYS[0];
let place;

export const title = () => t(looked() ? "searchTitle" : "newestOrders");
export const looked = () => remembered.get("search") ?? "";

export async function show(main) {
  const choice = el("select", { id: "search-days", onchange: ({ target }) => { days = Number(target.value); again(); } },
    DAYS.map((n) => el("option", { value: n, selected: n === days }, t("daysBack", { n }))));
  place = el("section", { class: "stack", "aria-label": t("result") });
  main.replaceChildren(
    el("div", { class: "head" },
      el("h1", { tabindex: "-1" }, title()),
      el("div", { class: "choice" },
        !looked() && el("button", { id: "by-hand", type: "button", class: "small", onclick: ({ target }) => busy(target, byHand).catch(told) }, t("byHand")),
        !looked() && el("button", { id: "month-file", type: "button", class: "small", onclick: month }, t("month")),
        looked() && el("button", { type: "button", class: "small", onclick: newestAgain }, t("newestOrders")),
        el("label", { for: "search-days", class: "unseen" }, t("reportPeriod")), choice)),
    place);
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
  if (location.hash !== "#/search") location.hash = "#/search"; // which searches
  else dispatchEvent(new HashChangeEvent("hashchange"));
}

const told = (problem) => place.prepend(el("div", { role: "alert" }, notice(problem)));

const newestAgain = () => {
  document.getElementById("wanted").value = "";
  look("");
};

async function again() {
  await search(looked());
  draw();
}

async function search(text) {
  place.ariaBusy = "true";
  place.replaceChildren(el("p", { class: "quiet" }, t("looking")));
  const mine = { text };
  try {
    Object.assign(mine, text ? await find(text, daysAgo(days)) : await newest(daysAgo(days)));
  } catch (problem) {
    mine.problem = problem;
  }
  if (looked() !== text) return; // another one was looked for meanwhile
  found = mine;
  if (mine.total === 1 && !mine.next && location.hash === "#/search") location.hash = ofOrder(mine.orders[0].order_id);
}

async function more() {
  const { text, orders, names, next } = found;
  const behind = text ? await findMore(text, daysAgo(days), next) : await newest(daysAgo(days), next);
  found = { ...found, ...behind, orders: [...orders, ...behind.orders], names: { ...names, ...behind.names } };
  if (found.total !== undefined) found.total = found.orders.length;
  draw();
}

function draw() {
  if (!place?.isConnected || !found) return;
  place.ariaBusy = "false";
  if (found.problem) place.replaceChildren(el("div", { role: "alert" }, notice(found.problem)));
  else place.replaceChildren(found.orders.length > 0 ? list(found) : nothing(found));
}

function list({ text, orders, total, names, next, looked: how }) {
  const entries = orders.map((order) => el("li", {},
    el("a", { href: ofOrder(order.order_id) },
      el("span", {}, el("b", {}, order.order_id), order.name && ` · ${order.name}`, ` · ${order.products.map((sku) => names?.[sku] ?? sku).join(", ")}`),
      el("span", { class: "quiet small" }, said("standing", order.standing), " · ", moment(order.created_at)))));
  return el("div", { class: "card" },
    text && el("h2", { tabindex: "-1", "data-focus": true }, count("found", total)),
    total > orders.length && el("p", {}, t("newestShown", { n: orders.length })),
    el("ul", { class: "found" }, entries),
    behind(next, how));
}

function nothing({ text, next, looked: how }) {
  return el("div", { class: "card" },
    el("h2", { tabindex: "-1", "data-focus": true }, t(text ? "found.none" : "noOrders")),
    text && el("p", {}, t("foundNoneHint")),
    behind(next, how));
}

/** How far was looked, and a way further. */
const behind = (next, how) => [
  how && el("p", { class: "quiet small" }, how.text),
  next && el("div", { class: "buttons" }, el("button", { type: "button", onclick: ({ target }) => busy(target, more) }, t("showMore"))),
];
