/** Looking for orders, and the one that was found. */
import { notice, tell } from "./dialogs.js";
import { el } from "./dom.js";
import { find, known, load } from "./find.js";
import { story } from "./order.js";
import { count, moment, said, t } from "./words.js";

const REFRESHES = 6;
const REFRESH_MS = 2500;

let looked = { text: "" }; // and what became of it: busy, problem, orders or order
let place;
let refresh;

export function show(main) {
  place = el("section", { class: "stack", "aria-label": t("result") });
  main.replaceChildren(el("h1", {}, t("orders")), form(), place);
  draw();
}

export function forget() {
  clearTimeout(refresh);
  looked = { text: "" };
}

/** In another language the API says it again; until then, what was said stays. */
export function reword() {
  if (looked.order) reload().catch(() => {}); // the next look tells what is wrong
  else if (looked.problem) look(looked.text);
}

/** Look up an order from another view. */
export function lookUp(orderId) {
  location.hash = "#orders";
  look(orderId, known);
}

function form() {
  const input = el("input", {
    id: "wanted", name: "wanted", type: "search", required: true, autocomplete: "off", autocapitalize: "off", spellcheck: "false",
    placeholder: t("searchExample"), "aria-describedby": "wanted-hint", value: looked.text,
  });
  const submitted = (event) => {
    event.preventDefault();
    const text = input.value.trim().replace(/^#/, "");
    if (text) look(text);
  };
  return el("form", { class: "card", role: "search", onsubmit: submitted },
    el("label", { for: "wanted" }, t("searchLabel")),
    el("div", { class: "search" }, input, el("button", { class: "main", type: "submit" }, t("search"))),
    el("p", { class: "hint", id: "wanted-hint" }, t("searchHint")));
}

async function look(text, looking = find) {
  clearTimeout(refresh);
  const mine = { text, busy: true };
  settle(mine);
  try {
    Object.assign(mine, await looking(text));
  } catch (problem) {
    mine.problem = problem;
  }
  if (looked !== mine) return; // another one was looked for meanwhile
  mine.busy = false;
  settle(mine);
  if (mine.order) follow(mine.order);
  place.querySelector("h2")?.focus();
}

function settle(now) {
  looked = now;
  draw();
}

function draw() {
  if (!place?.isConnected) return;
  place.setAttribute("aria-busy", Boolean(looked.busy));
  if (looked.busy) place.replaceChildren(el("p", { class: "quiet" }, t("looking")));
  else if (looked.problem) place.replaceChildren(el("div", { role: "alert" }, notice(looked.problem)));
  else if (looked.order) place.replaceChildren(...story(looked.order, { changed, lookUp }));
  else if (looked.orders) place.replaceChildren(looked.orders.length > 0 ? list(looked) : nothing());
  else place.replaceChildren();
}

function list({ orders, total }) {
  const entries = orders.map((order) => el("li", {},
    el("button", { type: "button", onclick: () => look(order.order_id, known) },
      el("span", {}, el("b", {}, order.order_id), order.name && ` · ${order.name}`, ` · ${order.products.join(", ")}`),
      el("span", { class: "quiet small" }, said("standing", order.standing), " · ", moment(order.created_at)))));
  return el("div", { class: "card" },
    el("h2", { tabindex: "-1" }, count("found", total)),
    total > orders.length && el("p", {}, t("newestShown", { n: orders.length })),
    el("ul", { class: "found" }, entries));
}

function nothing() {
  return el("div", { class: "card" }, el("h2", { tabindex: "-1" }, t("found.none")), el("p", {}, t("foundNoneHint")));
}

/** Show what became of the order. What was done is done, also when it cannot be read again. */
async function changed(text) {
  tell(text);
  try {
    await reload();
  } catch (problem) {
    settle({ text: looked.text, problem });
  }
  place.querySelector("h2")?.focus();
}

async function reload(left = REFRESHES) {
  const before = looked;
  const order = await load(before.order.order_id);
  if (looked !== before) return;
  if (JSON.stringify(order) !== JSON.stringify(before.order)) {
    const focused = document.activeElement?.id;
    settle({ ...before, order });
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  }
  follow(order, left);
}

/** Read it again for as long as a mail of it is on its way. */
function follow(order, left = REFRESHES) {
  clearTimeout(refresh);
  if (left === 0 || !order.mails.some((mail) => ["pending", "sending"].includes(mail.state))) return;
  refresh = setTimeout(() => {
    if (document.querySelector("dialog")) follow(order, left);
    else reload(left - 1).catch(() => {}); // the next look tells what is wrong
  }, REFRESH_MS);
}
