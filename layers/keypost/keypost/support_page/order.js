/** The story of an order: what was bought, what became of it, and what can be done about it. */
import { correct, decide, makeOwn, resend, settle, swap, whyBlocked } from "./actions.js";
import { ofOrder } from "./addresses.js";
import { copier } from "./dialogs.js";
import { el } from "./dom.js";
import { folded, foldedLicenses } from "./folded.js";
import { more, moreOfLicense, renewal } from "./more.js";
import { preview } from "./preview.js";
import { capital, count, day, languageName, moment, money, number, said, t, word } from "./words.js";

const GOOD = ["paid", "sent", "delivered", "mail_sent", "mail_delivered", "payment_paid", "codes_assigned", "released", "contents_settled"];
const BAD = ["failed", "refunded", "disputed", "returned", "bounced", "complained", "rejected", "mail_failed",
  "mail_returned", "mail_bounced", "mail_complained", "mail_rejected", "payment_failed_at",
  "payment_refunded", "payment_disputed", "on_hold", "codes_to_block", "paid_twice", "canceled", "erased", "held"];
const tone = (text) => (GOOD.includes(text) ? "good" : BAD.includes(text) ? "bad" : text.startsWith("waits") ? "wait" : "");

/** `tools`: `act` calls the API, `changed` shows what became of it, `warnings` are to be read, and `isRead` says that they were. */
export function story(order, tools) {
  const all = { ...tools, order };
  return [
    summary(all),
    tellings(all),
    jumps(order),
    el("div", { class: "columns" },
      el("div", { class: "stack" }, mails(all), payments(order), lines(all)),
      el("div", { class: "stack" }, licenses(all), past(order))),
  ];
}

function summary(tools) {
  const { order } = tools;
  const states = [order.standing, order.held && "held", order.canceled && "canceled", order.erased && "erased", order.charged_again && "subscription"].filter(Boolean);
  const others = (ids) => ids.map((id) => el("a", { href: ofOrder(id), class: "number" }, id));
  return el("article", { class: "card order", "aria-labelledby": "order" },
    el("div", { class: "head" },
      el("div", { class: "named" }, el("h1", { id: "order", tabindex: "-1" }, t("order", { number: order.order_id })), copier(order.order_id, t("orderNumber"))),
      el("p", { class: "pills" }, states.map((state) => el("span", { class: `pill ${tone(state)}` }, said("standing", state))))),
    el("dl", { class: "who" },
      fact(t("customer"), order.name ?? t("unknown")),
      fact(t("email"), [order.email ?? t("unknown"), order.email && copier(order.email, t("email"))]),
      fact(t("languageOfMails"), order.language && languageName(order.language)),
      fact(t("since"), moment(order.created_at)),
      order.no_reminders && fact(t("reminders"), capital(order.no_reminders.text)),
      order.moved_from && fact(t("movedFrom"), others([order.moved_from])),
      order.by_hand && fact(t("byHandFact"), said("because", order.by_hand)),
      order.imported_at && fact(t("importedFact"), moment(order.imported_at)),
      order.renewed_by.length > 0 && fact(t("renewedBy"), others(order.renewed_by)),
      order.belongs_to && fact(t("belongsTo"), others([order.belongs_to]))),
    tools.warnings.map((warning) => warned(tools, warning)),
    needs(order),
    comes(order),
    doing(tools));
}

/** What an action found, until somebody has read it. */
function warned(tools, warning) {
  const send = warning.offer === "resend" && !tools.order.why_no_resend;
  return el("div", { class: "notice wait" },
    el("p", {}, warning.text),
    el("div", { class: "buttons" },
      send && button("resend-now", t("sendNow"), () => resend(tools), "main"),
      el("button", { type: "button", onclick: () => tools.isRead(warning) }, t("isRead"))));
}

function doing(tools) {
  const { order } = tools;
  return el("div", { class: "buttons" },
    el("div", { class: "either" },
      el("button", {
        id: "resend", type: "button", class: "main", onclick: () => resend(tools),
        disabled: order.why_no_resend !== null, "aria-describedby": order.why_no_resend && "why-no-resend",
      }, t("resend")),
      order.why_no_resend && el("p", { id: "why-no-resend", class: "small" }, t("noResend"), " ", order.why_no_resend.text)),
    !order.erased && button("correct", t("correct"), () => correct(tools), whyBlocked(order)?.endsWith("_complained") && "main"),
    decisions(order).map((decision) => button(decision, t(decision), () => decide(tools, decision))),
    button("more", t("more"), () => more(tools)));
}

const ENDS_BY_ITSELF = ["stock", "product", "renews"]; // with the codes, the product or the period that it waits for

/** What can be said about it, beside what is done: each stands under its name in the API. */
function decisions({ held, erased, needs: needed }) {
  const toSettle = needed?.action.code === "settle_contents"; // which releasing does not do
  const asked = toSettle ? null : { hold: "release", block: "blocked", subscription: "subscription-ended" }[needed?.reason];
  const own = erased ? null : held ? "release" : "hold";
  const done = needed && !ENDS_BY_ITSELF.includes(needed.reason) ? "close" : null;
  return [...new Set([own, asked, done])].filter(Boolean);
}

const fact = (name, value) => el("div", {}, el("dt", {}, name), el("dd", {}, value));
const button = (id, text, onclick, kind) => el("button", { id, type: "button", class: kind || null, onclick }, text);

/** The parts of a long story, so that nobody has to scroll through the others. */
function jumps({ mails, payments, lines, licenses, timeline }) {
  const parts = { mails, payments, lines, licenses, timeline };
  return el("nav", { class: "jumps", "aria-label": t("parts") }, el("ul", {}, Object.entries(parts).map(([name, entries]) =>
    el("li", {}, el("button", { type: "button", class: "plain", onclick: () => goTo(name) }, t(name), " ", el("span", { class: "number" }, number(entries.length)))))));
}

function goTo(name) {
  const heading = document.getElementById(name);
  heading.scrollIntoView({ block: "start" });
  heading.focus({ preventScroll: true });
}

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
  return section("timeline", folded("timeline", entries, (shown) => el("ol", { class: "timeline" }, shown)));
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

function lines(tools) {
  const { order } = tools;
  const entries = order.lines.map((line) => el("li", {},
    el("div", { class: "head" },
      el("strong", {}, `${number(line.quantity)} × ${order.products[line.sku]}`),
      el("span", { class: "pill" }, said("kind", line.kind))),
    el("p", { class: "quiet small" },
      count("codesOf", line.quantity, { has: number(line.codes) }),
      line.renews && ` · ${t("renewsWhat", { what: line.renews })}`,
      line.first_day && line.last_day && ` · ${t("period", { first: day(line.first_day), last: day(line.last_day) })}`,
      line.stopped && ` · ${t("renewalStopped")}`),
    line.kind === "renewal" && !order.erased && button(`renewal-${line.number}`, t("renewalChange"), () => renewal(tools, line), "small")));
  return listed("lines", entries, t("noLines"));
}

/** By product, as many at once as an eye takes in; of many, those that a filter leaves. */
function licenses(tools) {
  const { order } = tools;
  if (order.licenses.length === 0) return section("licenses", el("p", { class: "empty" }, t("noLicenses")));
  const bad = Object.groupBy(order.bad_codes, (code) => code.license);
  const groups = [...Map.groupBy(order.licenses, ({ sku }) => sku)].map(([sku, of]) =>
    foldedLicenses(order.products[sku], of, (one) => license(tools, one, bad[one.id] ?? [])));
  return section("licenses", groups);
}

function license(tools, one, bad) {
  return el("li", {},
    el("div", { class: "head" },
      el("div", {},
        el("p", {}, el("code", {}, one.code), " ", el("span", { class: "quiet small" }, one.id), copier(one.id, t("licenseId"))),
        el("p", { class: "quiet small" }, t("period", { first: day(one.first_day), last: day(one.last_day) }))),
      el("div", { class: "buttons" },
        mayBeSwapped(tools.order, one) && el("button", {
          id: `swap-${one.id}`, type: "button", class: "small", onclick: () => swap(tools, one),
          "aria-label": t("swapOf", { id: one.id }),
        }, t("swap")),
        !tools.order.erased && el("button", {
          id: `more-${one.id}`, type: "button", class: "small", onclick: () => moreOfLicense(tools, one),
          "aria-label": t("moreOf", { number: one.id }),
        }, t("more")))),
    one.gone && el("p", { class: "small" }, t(one.gone === "moved" ? "licenseMoved" : "licenseRefunded"), " ",
      one.moved_to && el("a", { href: ofOrder(one.moved_to), class: "number" }, one.moved_to)),
    bad.map(({ code, reason, at, who, note }) => el("p", { class: "quiet small" },
      t("swapped", { code, reason: word(reason), at: moment(at), who }), note && [" ", el("q", {}, note)])));
}

/** Not where it would always be refused; what only keeps it for now, the API tells. */
const mayBeSwapped = ({ standing, canceled, erased }, { last_day: last }) =>
  !canceled && !erased && !["refunded", "disputed"].includes(standing) && new Date(`${last}T23:59:59`) > new Date();

function mails(tools) {
  const entries = tools.order.mails.toReversed().map((mail) => {
    const [kind, fate] = fateOf(mail);
    return el("li", {},
      el("div", { class: "head" },
        el("strong", {}, capital(said("purpose", mail.purpose))),
        el("span", { class: `pill ${tone(fate)}` }, said(kind, fate))),
      mail.to && el("p", { class: "small" }, t("to", { address: mail.to })),
      el("p", { class: "quiet small" },
        mail.sent_at ? moment(mail.sent_at) : mail.next_at && t("tried", { at: moment(mail.next_at) }),
        mail.asked_by && ` · ${t("askedBy", { who: said("who", mail.asked_by) })}`),
      mail.problem && el("p", { class: "small" }, mail.problem.text),
      mail.state !== "before" && el("button", {
        id: `show-${mail.id}`, type: "button", class: "plain small", onclick: ({ target }) => preview(tools, mail, target),
        "aria-label": t("showMailOf", { what: said("purpose", mail.purpose), at: mail.sent_at ? moment(mail.sent_at) : "" }),
      }, t("showMail")));
  });
  if (entries.length === 0) return section("mails", el("p", { class: "empty" }, t("noMails")));
  return section("mails", folded("mails", entries, (shown) => el("ul", { class: "list" }, shown)));
}

export const fateOf = (mail) => (mail.fate ? ["fate", mail.fate] : ["state", mail.state]);

function payments({ payments: all }) {
  const entries = all.map((payment) => el("li", {},
    el("div", { class: "head" },
      el("strong", { class: "number" }, payment.amount ? money(payment.amount, payment.currency) : t("noAmount")),
      el("span", { class: `pill ${tone(payment.standing)}` }, said("standing", payment.standing))),
    el("p", { class: "small names" }, payment.names.join(", ")),
    payment.returned && el("p", { class: "small" }, t("returned", { amount: money(payment.returned, payment.currency) })),
    el("p", { class: "quiet small" }, moment(payment.at))));
  return listed("payments", entries, t("noPayments"));
}

const listed = (name, entries, none) =>
  section(name, entries.length > 0 ? el("ul", { class: "list" }, entries) : el("p", { class: "empty" }, none));

const section = (name, ...content) =>
  el("section", { class: "card", "aria-labelledby": name }, el("h2", { id: name, tabindex: "-1" }, t(name)), content);
