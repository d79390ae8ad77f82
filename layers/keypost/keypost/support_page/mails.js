/** What was sent, failed and came back on a day, and all that was lost again. */
import { ofOrder } from "./addresses.js";
import { call } from "./api.js";
import { ask, busy, field, notice } from "./dialogs.js";
import { el } from "./dom.js";
import { capital, count, daysAgo, moment, said, t, today } from "./words.js";

const STATES = ["", "came_back", "failed", "sent"];

let wanted; // {day, state}
let listed; // {mails, next, orders}
let place;

export const title = () => t("mailsOfDay");

export async function show(main) {
  wanted ??= { day: today(), state: "" };
  const choose = (name) => ({ target }) => { wanted[name] = target.value; load(); };
  place = el("section", { class: "card", "aria-label": t("mailsOfDay") });
  main.replaceChildren(
    el("div", { class: "head" },
      el("h1", { tabindex: "-1" }, t("mailsOfDay")),
      el("div", { class: "choice" },
        el("label", { for: "mails-day", class: "unseen" }, t("dayOf")),
        el("input", { id: "mails-day", type: "date", value: wanted.day, min: daysAgo(59), max: today(), required: true, onchange: choose("day") }),
        el("label", { for: "mails-state", class: "unseen" }, t("fate")),
        el("select", { id: "mails-state", onchange: choose("state") },
          STATES.map((state) => el("option", { value: state, selected: state === wanted.state }, t(state ? `mails_${state}` : "all")))),
        el("button", { id: "again", type: "button", class: "small", onclick: allAgain }, t("allAgain")))),
    place);
  await load();
}

export function forget() {
  listed = undefined;
}

const path = (page) => `mails?${new URLSearchParams(Object.entries({ ...wanted, page }).filter(([, value]) => value))}`;

async function load() {
  place.replaceChildren(el("p", { class: "quiet" }, t("loading")));
  try {
    listed = await call("GET", path());
    draw();
  } catch (problem) {
    place.replaceChildren(el("div", { role: "alert" }, notice(problem)));
  }
}

async function more() {
  const behind = await call("GET", path(listed.next));
  listed = { ...behind, mails: [...listed.mails, ...behind.mails] };
  draw();
}

function draw() {
  const entries = listed.mails.map((mail) => el("li", {},
    el("p", {}, el("a", { href: ofOrder(mail.order_id), class: "number" }, mail.order_id), " · ", capital(said("purpose", mail.purpose)),
      " ", el("span", { class: `pill ${mail.state === "sent" ? "good" : "bad"}` }, t(`mails_${mail.state}`))),
    mail.why && el("p", { class: "small" }, mail.why.text),
    mail.not_again && mail.state !== "sent" && el("p", { class: "quiet small" }, t("notAgain"), " ", mail.not_again.text),
    el("p", { class: "quiet small" }, el("time", { datetime: mail.at }, moment(mail.at)))));
  place.replaceChildren(...[
    entries.length > 0 ? el("ol", { class: "list" }, entries) : el("p", { class: "empty" }, t("noMailsOfDay")),
    listed.next && el("div", { class: "buttons" }, el("button", { type: "button", onclick: ({ target }) => busy(target, more) }, t("showMore"))),
  ].filter(Boolean));
}

/** Send all that was lost on the day again, call by call, as one call has its bounds. */
function allAgain() {
  const { day } = wanted;
  ask({
    title: t("allAgain"),
    intro: t("allAgainIntro", { day }),
    fields: [field(t("reasonMaybe"), el("textarea", { id: "reason", name: "reason", maxlength: 200 }), t("reasonHint"))],
    confirm: t("allAgain"),
    async send({ reason }) {
      const total = { sent: [], left_out: [] };
      for (let page; ; ) {
        const done = await call("POST", "mails/resend", { body: { day, reason, page } });
        total.sent.push(...done.sent);
        total.left_out.push(...done.left_out);
        if (!done.next) return total;
        page = done.next;
      }
    },
    async done({ sent, left_out: left }) {
      await load();
      place.prepend(el("div", { class: "notice" },
        el("p", {}, count("sentAgain", sent.length), left.length > 0 && `, ${count("leftOut", left.length)}`),
        left.length > 0 && el("ul", {}, left.map(({ order_id: id, why }) => el("li", {}, el("a", { href: ofOrder(id) }, id), ": ", why.text)))));
      place.querySelector(".notice").scrollIntoView({ block: "nearest" });
    },
  });
}
