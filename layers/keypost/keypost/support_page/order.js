/** The story of an order, and what can be done about it. */
import { call } from "./api.js";
import { ask, field } from "./dialogs.js";
import { el } from "./dom.js";
import { capital, day, moment, money, said, t, word } from "./words.js";

const GOOD = ["paid", "sent", "delivered", "mail_sent", "mail_delivered", "payment_paid", "codes_assigned", "released", "contents_settled"];
const BAD = ["failed", "refunded", "disputed", "returned", "bounced", "complained", "rejected", "mail_failed",
  "mail_returned", "mail_bounced", "mail_complained", "mail_rejected", "payment_failed_at",
  "payment_refunded", "payment_disputed", "on_hold", "codes_to_block", "paid_twice", "canceled", "erased", "held"];
const tone = (text) => (GOOD.includes(text) ? "good" : BAD.includes(text) ? "bad" : text.startsWith("waits") ? "wait" : "");

export function story(order, { changed, lookUp }) {
  const path = `orders/${encodeURIComponent(order.order_id)}`;
  const act = (rest, method, body, headers) => call(method, `${path}/${rest}`, { body, headers });
  const tools = { order, act, changed, lookUp };
  return [
    summary(tools),
    tellings(tools),
    el("div", { class: "columns" },
      el("div", { class: "stack" }, past(order)),
      el("div", { class: "stack" }, lines(tools), licenses(tools), mails(order), payments(order))),
  ];
}

function summary(tools) {
  const { order, lookUp } = tools;
  const states = [order.standing, order.held && "held", order.canceled && "canceled", order.erased && "erased", order.charged_again && "subscription"].filter(Boolean);
  const others = (ids) => ids.map((id) => el("button", { type: "button", class: "plain", onclick: () => lookUp(id) }, id));
  return el("article", { class: "card order", "aria-labelledby": "order" },
    el("div", { class: "head" },
      el("h2", { id: "order", tabindex: "-1" }, t("order", { number: order.order_id })),
      el("p", { class: "pills" }, states.map((state) => el("span", { class: `pill ${tone(state)}` }, said("standing", state))))),
    el("dl", { class: "who" },
      fact(t("customer"), order.name ?? t("unknown")),
      fact(t("email"), order.email ?? t("unknown")),
      fact(t("languageOfMails"), said("language", order.language)),
      fact(t("since"), moment(order.created_at)),
      order.renewed_by.length > 0 && fact(t("renewedBy"), others(order.renewed_by)),
      order.belongs_to && fact(t("belongsTo"), others([order.belongs_to]))),
    needs(order),
    comes(order),
    el("div", { class: "buttons" },
      el("button", {
        id: "resend", type: "button", class: "main", onclick: () => resend(tools),
        disabled: order.why_no_resend !== null, "aria-describedby": order.why_no_resend && "why-no-resend",
      }, t("resend")),
      !order.erased && button("correct", t("correct"), () => correct(tools)),
      decisions(order).map((decision) => button(decision, t(decision), () => decide(tools, decision)))),
    order.why_no_resend && el("p", { id: "why-no-resend", class: "small quiet" },
      t("noResend"), " ", order.why_no_resend.text));
}

/** What can be said about it, beside what is done: each stands under its name in the API. */
function decisions({ held, erased, needs: needed }) {
  const toSettle = needed?.action.code === "settle_contents"; // which releasing does not do
  const asked = toSettle ? null : { hold: "release", block: "blocked", subscription: "subscription-ended" }[needed?.reason];
  const own = erased ? null : held ? "release" : "hold";
  return [...new Set([own, asked])].filter(Boolean);
}

const fact = (name, value) => el("div", {}, el("dt", {}, name), el("dd", {}, value));
const button = (id, text, onclick, kind) => el("button", { id, type: "button", class: kind, onclick }, text);

/** What each teller says of each payment, where a person must decide what the order is for. */
function tellings(tools) {
  const { obstacles, payments } = tools.order;
  if (!obstacles.some(({ code }) => code === "contents")) return null;
  return el("section", { class: "card", "aria-labelledby": "tellings" },
    el("h2", { id: "tellings" }, t("tellings")),
    el("p", {}, t("tellingsIntro")),
    el("div", { class: "tellings" }, payments.map((payment, n) => tellingsOf(tools, payment, n))));
}

function tellingsOf(tools, payment, n) {
  const [name] = payment.names;
  const told = payment.told.filter(({ lines, email, amount }) => lines.length > 0 || email || amount);
  return el("article", { "aria-labelledby": `payment-${n}` },
    el("div", { class: "head" },
      el("h3", { id: `payment-${n}` }, name),
      el("span", { class: `pill ${tone(payment.standing)}` }, said("standing", payment.standing))),
    told.map((word, of) => telling(tools, payment, word, `settle-${n}-${of}`)),
    tools.order.payments.length > 1 && el("div", { class: "buttons" }, el("button", {
      id: `own-${n}`, type: "button", "aria-label": t("ownOf", { payment: name }), onclick: () => makeOwn(tools, name),
    }, t("own"))));
}

function telling(tools, payment, word, id) {
  const by = capital(said("provider", word.by));
  const goods = word.lines.map((line) => named(tools.order, line));
  return el("div", { class: "telling" },
    el("p", { class: "quiet small" }, word.said ? t("saidAt", { by, at: moment(word.said) }) : t("saidBy", { by })),
    goods.length > 0 ? el("ul", { class: "goods" }, goods.map((line) => el("li", {}, line))) : el("p", {}, t("noLines")),
    (word.name || word.email) && el("p", { class: "small" }, [word.name, word.email].filter(Boolean).join(" · ")),
    word.amount && el("p", { class: "small number" }, money(word.amount, word.currency)),
    goods.length > 0 && el("div", { class: "buttons" }, el("button", {
      id, type: "button", class: "main", "aria-label": t("settleOf", { by, payment: payment.names[0] }),
      onclick: () => settle(tools, payment, word, goods),
    }, t("settle"))));
}

/** "2 × Kaspersky Standard" for "2 x SKU". */
const named = ({ products }, line) => line.replace(/^(\d+) x (.*)$/, (_, n, sku) => `${n} × ${products[sku] ?? sku}`);

function past(order) {
  const entries = order.timeline.toReversed().map((entry) => el("li", { class: tone(entry.code) },
    el("p", { class: "what" }, entry.text),
    entry.words && el("p", { class: "why" }, entry.words),
    el("p", { class: "when" }, el("time", { datetime: entry.at }, moment(entry.at)), entry.who !== "keypost" && ` · ${said("who", entry.who)}`)));
  return el("section", { class: "card", "aria-labelledby": "past" }, el("h2", { id: "past" }, t("timeline")), el("ol", { class: "timeline" }, entries));
}

/** What a person must do. */
function needs({ needs: needed }) {
  return needed && el("div", { class: "notice wait" },
    el("p", {}, el("strong", {}, t("needsYou")), " ", needed.why.text),
    el("p", { class: "todo" }, needed.action.text));
}

/** What happens by itself, and when. */
function comes({ to_come: steps }) {
  const told = steps.map(({ what, at, why_not: why }) => el("li", {},
    what.text,
    at && [", ", el("time", { datetime: at }, moment(at))],
    why && [" · ", t("notYet"), " ", why.text]));
  return el("div", { class: "notice" },
    el("p", {}, el("strong", {}, t("next")), steps.length === 0 && ` ${t("nothingNext")}`),
    steps.length > 0 && el("ul", {}, told));
}

function lines({ order }) {
  const entries = order.lines.map((line) => el("li", {},
    el("div", { class: "head" },
      el("strong", {}, `${line.quantity} × ${order.products[line.sku]}`),
      el("span", { class: "pill" }, said("kind", line.kind))),
    el("p", { class: "quiet small" },
      t("codesOf", { n: line.codes, all: line.quantity }),
      line.renews && ` · ${t("renewsWhat", { what: line.renews })}`,
      line.first_day && line.last_day && ` · ${t("period", { first: day(line.first_day), last: day(line.last_day) })}`)));
  return part("lines", entries, t("noLines"));
}

function licenses(tools) {
  const bad = Object.groupBy(tools.order.bad_codes, (code) => code.license);
  const entries = tools.order.licenses.map((license) => el("li", {},
    el("div", { class: "head" },
      el("div", {},
        el("p", {}, el("strong", {}, tools.order.products[license.sku])),
        el("p", {}, el("code", {}, license.code), " ", el("span", { class: "quiet small" }, license.id)),
        el("p", { class: "quiet small" }, t("period", { first: day(license.first_day), last: day(license.last_day) }))),
      mayBeSwapped(tools.order, license) && el("button", {
        id: `swap-${license.id}`, type: "button", class: "small", onclick: () => swap(tools, license),
        "aria-label": t("swapOf", { id: license.id }),
      }, t("swap"))),
    (bad[license.id] ?? []).map(({ code, reason, at, who, note }) => el("p", { class: "quiet small" },
      t("swapped", { code, reason: word(reason), at: moment(at), who }), note && [" ", el("q", {}, note)]))));
  return part("licenses", entries, t("noLicenses"));
}

/** Not where it would always be refused; what only keeps it for now, the API tells. */
const mayBeSwapped = ({ standing, canceled, erased }, { last_day: last }) =>
  !canceled && !erased && !["refunded", "disputed"].includes(standing) && new Date(`${last}T23:59:59`) > new Date();

function mails({ mails }) {
  const entries = mails.toReversed().map((mail) => {
    const [kind, fate] = mail.fate ? ["fate", mail.fate] : ["state", mail.state];
    return el("li", {},
      el("div", { class: "head" },
        el("strong", {}, capital(said("purpose", mail.purpose))),
        el("span", { class: `pill ${tone(fate)}` }, said(kind, fate))),
      mail.to && el("p", { class: "small" }, t("to", { address: mail.to })),
      el("p", { class: "quiet small" },
        mail.sent_at ? moment(mail.sent_at) : mail.next_at && t("tried", { at: moment(mail.next_at) }),
        mail.asked_by && ` · ${t("askedBy", { who: said("who", mail.asked_by) })}`),
      mail.problem && el("p", { class: "small" }, mail.problem.text));
  });
  return part("mails", entries, t("noMails"));
}

function payments({ payments }) {
  const entries = payments.map((payment) => el("li", {},
    el("div", { class: "head" },
      el("strong", { class: "number" }, payment.amount ? money(payment.amount, payment.currency) : t("noAmount")),
      el("span", { class: `pill ${tone(payment.standing)}` }, said("standing", payment.standing))),
    el("p", { class: "small" }, payment.names.join(", ")),
    payment.returned && el("p", { class: "small" }, t("returned", { amount: money(payment.returned, payment.currency) })),
    el("p", { class: "quiet small" }, moment(payment.at))));
  return part("payments", entries, t("noPayments"));
}

function part(name, entries, none) {
  return el("section", { class: "card", "aria-labelledby": name },
    el("h2", { id: name }, t(name)),
    entries.length > 0 ? el("ul", { class: "list" }, entries) : el("p", { class: "empty" }, none));
}

/** However often it is clicked, one dialog is one wish. */
const oneWish = () => ({ "Idempotency-Key": crypto.randomUUID() });

const why = (required = false) =>
  field(t(required ? "reason" : "reasonMaybe"), el("textarea", { id: "reason", name: "reason", maxlength: 200, required }), t("reasonHint"));

function resend({ order, act, changed }) {
  const headers = oneWish();
  ask({
    title: t("resendTitle", { number: order.order_id }),
    intro: t("resendIntro", { address: order.email ?? t("unknown") }),
    fields: [why()],
    confirm: t("resendConfirm"),
    offers: ({ about }) => (about.values?.why?.code === "address_bounced" ? [[t("liftAndSend"), { lift_suppression: true }]] : []),
    send: ({ reason, lift_suppression }) => act("resend", "POST", { reason, lift_suppression }, headers),
    done: () => changed(t("resendDone")),
  });
}

function correct({ order, act, changed }) {
  const input = el("input", { id: "email", name: "email", type: "email", required: true, value: order.email, autocomplete: "off", spellcheck: "false" });
  ask({
    title: t("correctTitle"),
    intro: t("correctIntro"),
    fields: [field(t("newAddress"), input), why()],
    confirm: t("correctConfirm"),
    offers: ({ about: { suggestion } }) =>
      suggestion ? [[t("take", { suggestion }), { email: suggestion }], [t("asTyped"), { confirmed: true }]] : [],
    send: ({ email, reason, confirmed }) => act("email", "PUT", { email, reason, confirmed }),
    done: ({ order_ids, warnings }) => changed([t("correctDone", { orders: order_ids.join(", ") }), ...warnings.map(({ text }) => text)].join(" ")),
  });
}

function swap({ act, changed }, license) {
  const headers = oneWish();
  const reasons = ["already used", "wrong region", "invalid"].map((reason) =>
    el("label", { class: "choice" }, el("input", { type: "radio", name: "reason", value: reason, required: true }), word(reason)));
  ask({
    title: t("swapTitle", { id: license.id }),
    intro: t("swapIntro", { code: license.code }),
    fields: [
      el("fieldset", { class: "field" }, el("legend", {}, t("swapReason")), reasons),
      field(t("note"), el("textarea", { id: "note", name: "note", maxlength: 200 })),
    ],
    confirm: t("swapConfirm"),
    send: ({ reason, note }) => act(`licenses/${license.id}/replace`, "POST", { reason, note }, headers),
    done: ({ mail, code }) => changed(t(mail ? "swapDoneMail" : "swapDone", { code })),
  });
}

function settle({ order, act, changed }, payment, word, goods) {
  const email = word.email ?? order.email ?? t("unknown");
  ask({
    title: t("settleTitle", { number: order.order_id }),
    intro: t("settleIntro", { lines: goods.join(", "), email }),
    fields: [why()],
    confirm: t("settle"),
    send: ({ reason }) => act("contents", "PUT", { payment: payment.names[0], by: word.by, reason }),
    done: () => changed(t("settleDone")),
  });
}

function makeOwn({ order, act, changed }, payment) {
  ask({
    title: t("ownTitle", { number: order.order_id }),
    intro: t("ownIntro", { payment }),
    fields: [why()],
    confirm: t("own"),
    send: ({ reason }) => act("contents", "PUT", { own_order: payment, reason }),
    done: ({ own_order }) => changed(t("ownDone", { payment, order: own_order })),
  });
}

function decide({ order, act, changed }, decision) {
  ask({
    title: t(`${decision}Title`, { number: order.order_id }),
    intro: t(`${decision}Intro`),
    fields: order.erased ? [] : [why()], // of whom nothing is written down any more
    confirm: t(decision),
    send: ({ reason }) => act(decision, "POST", { reason }),
    done: () => changed(t(`${decision}Done`)),
  });
}
