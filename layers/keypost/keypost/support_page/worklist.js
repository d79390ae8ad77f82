/** What needs somebody: the first thing an agent sees. By reason, the most urgent first. */
import { ofOrder, ofReason } from "./addresses.js";
import { call } from "./api.js";
import { busy, notice } from "./dialogs.js";
import { el } from "./dom.js";
import { remembered } from "./session.js";
import { capital, count, moment, number, t, word } from "./words.js";

/** The button of the page of an order that does what its action says. */
const BUTTONS = {
  correct_address: "correct", send_again: "resend", block_codes: "blocked", end_subscription: "subscription-ended",
  release: "release", mend_and_release: "release", release_or_refund: "release", release_if_other: "release",
  settle_contents: "settle-0-0",
};

let listed; // {reason, counts, items, next, names}
let place;

export const title = ({ reason }) => (reason ? heading(reason) : t("worklist"));
const heading = (reason) => word(`reason_${reason}`) ?? reason;

export async function show(main, { reason }) {
  const refresh = el("button", { type: "button", class: "small", onclick: () => busy(refresh, () => load(reason).catch(told)) }, t("refresh"));
  place = el("div", { class: "stack" });
  main.replaceChildren(
    el("div", { class: "head" }, el("h1", { tabindex: "-1" }, t("worklist")), refresh),
    place);
  if (listed && listed.reason === reason) draw(); // at once what was seen before, then what is
  else place.replaceChildren(el("p", { class: "quiet" }, t("loading")));
  await load(reason).catch(told);
}

export function forget() {
  listed = undefined;
}

/** In another language the API says it again. */
export const reword = forget;

const told = (problem) => place.replaceChildren(el("div", { role: "alert" }, notice(problem)));

async function load(reason) {
  const asked = place;
  const answer = await call("GET", path(reason));
  if (asked !== place) return; // another view is shown by now
  const before = JSON.stringify(listed);
  listed = { reason, ...answer };
  if (before !== JSON.stringify(listed) || !place.childElementCount) draw();
}

async function more() {
  const { reason, items, names, next } = listed;
  const answer = await call("GET", path(reason, next));
  listed = { reason, ...answer, items: [...items, ...answer.items], names: { ...names, ...answer.names } };
  draw();
  place.querySelectorAll("li.work a.number")[items.length]?.focus();
}

function path(reason, next) {
  const query = new URLSearchParams(Object.entries({ reason, next }).filter(([, value]) => value));
  return `attention${query.size ? `?${query}` : ""}`;
}

function draw() {
  const { counts, items, next, reason } = listed;
  const groups = Map.groupBy(items, groupOf(counts));
  place.replaceChildren(...[
    reasons(counts, reason),
    items.length === 0 && el("section", { class: "card" }, el("p", { class: "empty" }, t("nothingWaits"))),
    [...groups].map(([code, of]) => group(code, of, counts[code])),
    next && el("div", { class: "buttons" }, el("button", { type: "button", onclick: ({ target }) => busy(target, more) }, t("showMore"))),
  ].flat().filter(Boolean));
}

/** Items come group by group, each as large as its count. */
const groupOf = () => (item) => item.needs;

function reasons(counts, chosen) {
  const all = Object.values(counts).reduce((sum, n) => sum + n, 0);
  const link = (href, text, n, isChosen) => el("li", {},
    el("a", { href, "aria-current": isChosen && "true" }, text, " ", el("b", { class: "number" }, number(n))));
  return Object.keys(counts).length > 1 || chosen
    ? el("nav", { "aria-label": t("reasons"), class: "reasons" }, el("ul", {},
        link("#/", t("all"), all, !chosen),
        Object.entries(counts).map(([code, n]) => link(ofReason(code), heading(code), n, code === chosen))))
    : null;
}

function group(code, items, n) {
  return el("section", { class: "card", "aria-labelledby": `why-${code}` },
    el("h2", { id: `why-${code}` }, heading(code), " ", el("span", { class: "pill wait number" }, number(n ?? items.length))),
    el("ul", { class: "list" }, items.map(entry)));
}

function entry({ order_id: id, reason, since, by, products, customer, actions }) {
  const goods = products.map((sku) => listed.names[sku] ?? sku).join(", ");
  const isLate = by && new Date(by) < new Date();
  return el("li", { class: "work" },
    el("div", {},
      el("p", {}, el("a", { class: "number", href: ofOrder(id) }, id), (customer || goods) && ` · ${[customer, goods].filter(Boolean).join(" · ")}`),
      el("p", {}, capital(reason.text)),
      el("p", { class: "quiet small" },
        since && [t("waitsSince"), " ", el("time", { datetime: since }, moment(since))],
        by && by > since && [since && " · ", el("span", { class: isLate && "late" }, t(isLate ? "late" : "before"), " ", el("time", { datetime: by }, moment(by)))])),
    el("div", { class: "todo" }, actions.map((action) => doing(id, action))));
}

/** What to do: where the page can do it, a way there. */
function doing(id, { code, text }) {
  if (code === "import_codes") return el("a", { class: "button small", href: "#/stock", "aria-label": t("doOf", { what: t("import"), id }) }, t("import"));
  const opener = BUTTONS[code];
  const go = () => remembered.keep("draft", { hash: ofOrder(id), inputs: [], dialog: { opener, values: [] } });
  return [
    el("p", { class: "small" }, capital(text)),
    opener && el("a", { class: "button small", href: ofOrder(id), onclick: go, "aria-label": t("doOf", { what: t(`do_${code}`), id }) }, t(`do_${code}`)),
  ];
}
