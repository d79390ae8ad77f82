/** What an agent seldom does for a customer: each as a dialog, behind one button. */
import { ofOrder } from "./addresses.js";
import { call } from "./api.js";
import { ask, choose, field } from "./dialogs.js";
import { el } from "./dom.js";
import { saved } from "./download.js";
import { proof } from "./preview.js";
import { languageName, languages, number, said, t, writtenTo } from "./words.js";

const input = (name, attributes = {}) => el("input", { id: name, name, autocomplete: "off", ...attributes });
const words = (name, label, required, hint) => field(t(label), el("textarea", { id: name, name, maxlength: 200, required }), hint && t(hint));
const why = (required = false) => words("reason", required ? "reason" : "reasonMaybe", required, "reasonHint");
const check = (name, label) => el("label", { class: "choice field" }, el("input", { type: "checkbox", name, value: "yes" }), t(label));
const language = (chosen) => field(t("languageOfMails"), el("select", { id: "language", name: "language" },
  languages.map((name) => el("option", { value: name, selected: name === writtenTo(chosen) }, languageName(name)))));
const who = (order = {}) => [
  field(t("email"), input("email", { type: "email", required: true, spellcheck: "false", value: order.email })),
  field(t("customer"), input("name", { maxlength: 100, value: order.name })),
  language(order.language),
];

/** An address that looks like a typing error comes back with what was probably meant, for the field `name`. */
const meant = (name = "email") => ({ about: { suggestion } }) =>
  suggestion ? [[t("take", { suggestion }), { [name]: suggestion }], [t("asTyped"), { confirmed: true }]] : [];

const warned = (warnings = []) => warnings.map(({ text }) => ({ text }));

/** Everything else that can be done for an order. */
export function more(tools) {
  const { order } = tools;
  const choices = [
    !order.erased && ["customerChange", () => customer(tools)],
    ["noteWrite", () => note(tools)],
    !order.why_no_resend && ["elsewhere", () => elsewhere(tools)],
    !order.erased && (order.reminders_stopped ? ["remindersAgain", () => reminders(tools, true)] : ["remindersStop", () => reminders(tools, false)]),
    blockedAsSpam(order) && ["liftComplaint", () => liftComplaint(tools)],
    (order.by_hand || order.imported_at) && ["withdraw", () => withdraw(tools)],
    ["proof", () => proof(tools)],
    order.email && ["exportCustomer", () => exportCustomer(tools)],
    !order.erased && order.email && ["erase", () => erase(tools)],
  ];
  choose(t("moreOf", { number: order.order_id }), choices.filter(Boolean).map(([name, action]) => [t(name), action]));
}

const blockedAsSpam = ({ waits, no_reminders: stopped }) =>
  stopped?.code === "no_reminders_spam" || waits.some(({ why: { code } }) => code.endsWith("_complained"));

/** What else can be done with one license. */
export function moreOfLicense(tools, license) {
  const choices = [
    !tools.order.why_no_resend && ["onlyThis", () => elsewhere(tools, license)],
    !license.gone && ["move", () => move(tools, license)],
    ["partly refunded", "refunded"].includes(tools.order.standing) && [license.gone === "refunded" ? "refundedNot" : "refundedThis", () => refunded(tools, license)],
  ];
  choose(t("moreOf", { number: license.id }), choices.filter(Boolean).map(([name, action]) => [t(name), action]));
}

function customer({ order, act, changed }) {
  ask({
    title: t("customerChange"), intro: t("customerIntro"), confirm: t("correctConfirm"), offers: meant(),
    fields: [...who(order), check("all_orders", "allOrders"), why()],
    send: ({ all_orders: all, ...right }) => act("customer", "PUT", { ...right, all_orders: Boolean(all) }),
    done: ({ order_ids: ids, warnings }) => changed(t("customerDone", { orders: ids.join(", ") }), warned(warnings)),
  });
}

function note({ act, changed }) {
  ask({
    title: t("noteWrite"), confirm: t("noteConfirm"), fields: [words("note", "noteWords", true, "reasonHint")],
    send: (given, wish) => act("note", "POST", given, wish),
    done: () => changed(t("noteDone")),
  });
}

function elsewhere({ order, act, changed }, license) {
  ask({
    title: t(license ? "onlyThis" : "elsewhere"), intro: t("elsewhereIntro", { address: order.email ?? t("unknown") }), confirm: t("resendConfirm"),
    offers: meant("to"),
    fields: [
      field(t("otherAddress"), input("to", { type: "email", required: !license, spellcheck: "false" }), license && t("otherAddressHint")),
      why(),
    ],
    send: (given, wish) => act("resend", "POST", { ...given, license: license?.id }, wish),
    done: () => changed(t("resendDone")),
  });
}

/** Where those of all orders are stopped, they start again for all orders or not at all. */
function reminders({ order, act, changed }, undo) {
  const ofAll = undo && order.no_reminders.code !== "no_reminders_order";
  ask({
    title: t(undo ? "remindersAgain" : "remindersStop"), confirm: t(undo ? "remindersAgain" : "remindersStop"),
    intro: ofAll ? t("remindersOfAll") : undefined,
    fields: [!ofAll && check("all_orders", "allOrders"), why()].filter(Boolean),
    send: ({ all_orders: all, reason }) => act("reminders/stop", "POST", { reason, all_orders: ofAll || Boolean(all), undo }),
    done: () => changed(t(undo ? "remindersAgainDone" : "remindersStopDone")),
  });
}

export function liftComplaint({ act, changed }) {
  ask({
    title: t("liftComplaint"), intro: t("liftComplaintIntro"), confirm: t("liftComplaint"), fields: [words("reason", "saidByCustomer", true, "reasonHint")],
    send: (given) => act("lift-complaint", "POST", given),
    done: () => changed(t("liftComplaintDone")),
  });
}

function withdraw({ act, changed }) {
  ask({
    title: t("withdraw"), intro: t("withdrawIntro"), confirm: t("withdraw"), fields: [why()],
    send: (given) => act("withdraw", "POST", given), done: () => changed(t("withdrawDone")),
  });
}

function move({ act, changed }, license) {
  ask({
    title: t("moveTitle", { id: license.id }), intro: t("moveIntro"), confirm: t("move"), fields: [...who(), why()], offers: meant(),
    send: (given, wish) => act(`licenses/${license.id}/move`, "POST", given, wish),
    done: ({ order_id: id, warnings }) => changed(t("moveDone", { order: id }), warned(warnings)),
  });
}

function refunded({ act, changed }, license) {
  const undo = license.gone === "refunded";
  ask({
    title: t(undo ? "refundedNot" : "refundedThis"), intro: t("refundedIntro", { id: license.id, code: license.code }), confirm: t(undo ? "refundedNot" : "refundedThis"), fields: [why()],
    send: ({ reason }) => act(`licenses/${license.id}/refunded`, "POST", { reason, undo }),
    done: () => changed(t("refundedDone")),
  });
}

/** Other addresses and orders of the same person, which an agent knows of or was shown. */
const alsoOf = () => field(t("alsoOf"), el("textarea", { id: "also", name: "also", maxlength: 2000, spellcheck: "false" }), t("alsoHint"));
const listOf = (text) => (text ? text.split(/[\s,;]+/).filter(Boolean) : undefined);
const linkedTo = (linked = []) => (linked.length > 0 ? [{ text: t("linked", { orders: linked.map(({ order_id: id }) => id).join(", ") }) }] : []);

function exportCustomer({ order, changed }) {
  ask({
    title: t("exportCustomer"), intro: t("exportIntro", { address: order.email }), confirm: t("save"),
    fields: [alsoOf()],
    send: (given) => call("POST", "customers/export", { body: { email: order.email, and: listOf(given.also) } }),
    done(all) {
      saved(`${order.order_id}-customer.json`, JSON.stringify(all, null, 1), "application/json");
      changed(t("exportDone"), linkedTo(all.linked));
    },
  });
}

function erase({ order, changed }) {
  ask({
    title: t("erase"), intro: t("eraseIntro", { address: order.email }), confirm: t("erase"),
    fields: [alsoOf(), el("label", { class: "choice field" }, el("input", { type: "checkbox", required: true }), t("eraseSure"))],
    send: (given) => call("POST", "customers/erase", { body: { email: order.email, and: listOf(given.also) } }),
    done: ({ order_ids: ids, subscriptions, linked }) => changed(t("eraseDone", { n: ids.length }), [
      ...subscriptions.length > 0 ? [{ text: t("eraseSubscriptions", { orders: subscriptions.join(", ") }) }] : [], ...linkedTo(linked)]),
  });
}

/** What a renewal renews, when it starts, and whether it comes at all. */
export function renewal(tools, line) {
  choose(t("renewalOf", { n: line.number }), [
    [t("renewalDecide"), () => decideRenewal(tools, line)],
    [t("renewalStop"), () => stopRenewal(tools, line)],
  ]);
}

function decideRenewal({ act, changed }, line) {
  ask({
    title: t("renewalDecide"), intro: t("renewalIntro"), confirm: t("renewalConfirm"),
    fields: [
      field(t("renewsLabel"), input("renews", { maxlength: 100, spellcheck: "false", value: line.renews }), t("renewsHint")),
      field(t("startsOn"), input("period_start", { type: "date", value: line.first_day }), t("startsHint")),
      check("now", "startsNow"), check("confirmed", "ofAnother"), why(),
    ],
    send: ({ renews, period_start: day, now, confirmed, reason }) =>
      act(`lines/${line.number}/renewal`, "PUT", { renews, period_start: now ? "now" : day ?? null, confirmed: Boolean(confirmed), reason }),
    done: () => changed(t("renewalDone")),
  });
}

function stopRenewal({ act, changed }, line) {
  ask({
    title: t("renewalStop"), intro: t("renewalStopIntro"), confirm: t("renewalStop"), fields: [why()],
    send: (given) => act(`lines/${line.number}/renewal/stop`, "POST", given),
    done: ({ next }) => changed(t("renewalStopDone"), next.code === "nothing" ? [] : [{ text: next.text }]),
  });
}

const MOST_LINES = 20;

/** A product and how many of it, and a button for another line. */
function linesOf(products) {
  const lines = el("div", {});
  const add = () => {
    const n = lines.children.length + 1;
    const quantity = input(`quantity-${n}`, { type: "number", min: 1, max: 500, value: 1, required: true });
    const sku = el("select", { id: `sku-${n}`, name: `sku-${n}` }, products.map((each) => el("option", { value: each.sku }, each.name)));
    const label = (name) => (n === 1 ? t(name) : `${t(name)} ${number(n)}`);
    lines.append(el("div", { class: "grid" }, field(label("product"), sku), field(label("quantity"), quantity)));
    another.hidden = n >= MOST_LINES;
    return sku;
  };
  const another = el("button", { type: "button", id: "another-line", class: "small", onclick: () => add().focus() }, t("anotherLine"));
  add();
  return [lines, el("div", { class: "field" }, another)];
}

const linesIn = (given) => Object.keys(given).filter((name) => name.startsWith("sku-"))
  .map((name) => ({ sku: given[name], quantity: Number(given[name.replace("sku", "quantity")]) }));

/** An order without a payment: goodwill, a test, paid by bank, or a replacement. */
export async function byHand() {
  const products = (await call("GET", "stock")).stock.filter((each) => !each.is_retired);
  ask({
    title: t("byHand"), intro: t("byHandIntro"), confirm: t("byHandConfirm"), offers: meant(),
    fields: [
      ...who(),
      ...linesOf(products),
      field(t("byHandWhy"), el("select", { id: "why", name: "why" },
        ["goodwill", "test", "paid_by_bank", "replacement"].map((name) => el("option", { value: name }, said("because", name))))),
      why(),
    ],
    send: ({ email, name, language: spoken, why: because, reason, confirmed, ...given }, headers) => call("POST", "orders", {
      headers, body: { customer: { email, name, language: spoken }, lines: linesIn(given), why: because, reason, confirmed },
    }),
    done: ({ order_id: id }) => { location.hash = ofOrder(id); },
  });
}
