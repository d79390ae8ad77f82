/** What an agent can do for a customer, each as a dialog. */
import { Problem } from "./api.js";
import { ask, field } from "./dialogs.js";
import { el } from "./dom.js";
import { liftComplaint } from "./more.js";
import { fateOf } from "./order.js";
import { capital, moment, said, t, word } from "./words.js";

const why = (required = false) =>
  field(t(required ? "reason" : "reasonMaybe"), el("textarea", { id: "reason", name: "reason", maxlength: 200, required }), t("reasonHint"));

/** Why the address gets no mail, as far as that is known: `address_bounced`, `address_complained` or `reminder_complained`. */
export function whyBlocked({ waits, needs }) {
  const codes = [...waits.map((wait) => wait.why.code), needs?.why.code];
  return ["address_complained", "reminder_complained", "address_bounced"].find((code) => codes.includes(code)) ?? null;
}

/** When the last mail left, to whom, and its fate: what one must know before sending again. */
function lastMail({ mails }) {
  const last = mails.findLast((mail) => mail.sent_at);
  if (!last) return el("p", { class: "facts" }, t("noneLeft"));
  const facts = [
    [t("lastMail"), capital(said("purpose", last.purpose))],
    [t("leftAt"), moment(last.sent_at)],
    last.to && [t("toWhom"), last.to],
    [t("fate"), capital(said(...fateOf(last)))],
  ];
  return el("dl", { class: "facts" }, facts.filter(Boolean).map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))));
}

export function resend(tools) {
  const { order, act, changed } = tools;
  const blocked = whyBlocked(order);
  if (blocked === "address_complained") return correct(tools, t("complainedFirst"));
  if (blocked === "reminder_complained") return liftComplaint(tools);
  const lift = [t("liftAndSend"), { lift_suppression: true }];
  return ask({
    title: t("resendTitle", { number: order.order_id }),
    intro: t(blocked ? "resendBlocked" : "resendIntro", { address: order.email ?? t("unknown") }),
    fields: [lastMail(order), why()],
    confirm: blocked ? lift : t("resendConfirm"),
    others: blocked ? [[t("correct"), () => correct(tools)]] : [],
    offers: ({ about }) => (about.values?.why?.code === "address_bounced" ? [lift] : []),
    send: ({ reason, lift_suppression }, wish) => act("resend", "POST", { reason, lift_suppression }, wish),
    done: () => changed(t("resendDone")),
  });
}

export function correct({ order, act, changed }, first) {
  const input = el("input", { id: "email", name: "email", type: "email", required: true, value: order.email, autocomplete: "off", spellcheck: "false" });
  ask({
    title: t("correctTitle"),
    intro: first ?? t("correctIntro"),
    fields: [field(t("newAddress"), input), why()],
    confirm: t("correctConfirm"),
    offers: ({ about: { suggestion } }) =>
      suggestion ? [[t("take", { suggestion }), { email: suggestion }], [t("asTyped"), { confirmed: true }]] : [],
    send({ email, reason, confirmed }) {
      if (email.toLowerCase() === order.email?.toLowerCase()) throw new Problem(0, t("sameAddress"));
      return act("email", "PUT", { email, reason, confirmed });
    },
    done({ order_ids, warnings }) {
      const found = warnings.map(({ text }) => ({ text }));
      if (reachedAnother(order)) found.push({ offer: "resend", text: t("sentToOld", { address: order.email }) });
      changed(t("correctDone", { orders: order_ids.join(", ") }), found);
    },
  });
}

/** Whether the codes reached the address from before: then they are not sent to the new one by themselves. */
const reachedAnother = ({ mails }) =>
  mails.some((mail) => ["purchase", "renewal", "replacement", "resend"].includes(mail.purpose) && mail.state === "sent"
    && !["returned", "bounced", "rejected"].includes(mail.fate));

export function swap({ act, changed }, license) {
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
    send: ({ reason, note }, wish) => act(`licenses/${license.id}/replace`, "POST", { reason, note }, wish),
    done: ({ mail, code }) => changed(t(mail ? "swapDoneMail" : "swapDone", { code })),
  });
}

/** A decision about what was seen: if something else is told meanwhile, it is not carried out. */
const asSeen = ({ version }) => ({ "If-Match": `"${version}"` });

export function settle({ order, act, changed }, payment, word, goods) {
  const email = word.email ?? order.email ?? t("unknown");
  ask({
    title: t("settleTitle", { number: order.order_id }),
    intro: t("settleIntro", { lines: goods.join(", "), email }),
    fields: [why()],
    confirm: t("settle"),
    send: ({ reason }) => act("contents", "PUT", { payment: payment.names[0], by: word.by, reason }, asSeen(order)),
    done: () => changed(t("settleDone")),
  });
}

export function makeOwn({ order, act, changed }, payment) {
  ask({
    title: t("ownTitle", { number: order.order_id }),
    intro: t("ownIntro", { payment }),
    fields: [why()],
    confirm: t("own"),
    send: ({ reason }) => act("contents", "PUT", { own_order: payment, reason }, asSeen(order)),
    done: ({ own_order }) => changed(t("ownDone", { payment, order: own_order })),
  });
}

export function decide({ order, act, changed }, decision) {
  ask({
    title: t(`${decision}Title`, { number: order.order_id }),
    intro: t(`${decision}Intro`),
    fields: order.erased && decision !== "close" ? [] : [why(decision === "close")], // of whom nothing is written down any more
    confirm: t(decision),
    send: ({ reason }) => act(decision, "POST", { reason }),
    done: () => changed(t(`${decision}Done`)),
  });
}
