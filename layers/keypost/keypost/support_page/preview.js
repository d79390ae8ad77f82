/** A mail as its customer got it, codes masked. It is shown in a frame that runs nothing and goes nowhere. */
import { busy, notice, show } from "./dialogs.js";
import { el } from "./dom.js";
import { t } from "./words.js";

export const preview = ({ act }, mail, button) => busy(button, async () => {
  try {
    const shown = await act(`mails/${mail.id}/preview`, "GET");
    const frame = el("iframe", { sandbox: "allow-same-origin", title: shown.subject, class: "mail" });
    show(shown.subject,
      el("dl", { class: "who small" },
        fact(t("from"), shown.sender),
        shown.to && fact(t("toWhom"), shown.to),
        shown.attachments.length > 0 && fact(t("attachments"), shown.attachments.join(", "))),
      el("p", { class: "small quiet" }, t("asNow")),
      frame,
      el("details", {}, el("summary", {}, t("asText")), el("pre", { class: "mail-text" }, shown.text)));
    fill(frame, shown.html);
  } catch (problem) {
    show(t("showMail"), notice(problem));
  }
});

/** The proof of delivery, to print. */
export async function proof({ order, act }) {
  try {
    const { text } = await act("proof", "GET");
    const frame = el("iframe", { sandbox: "allow-same-origin allow-modals", title: t("proof"), class: "mail" });
    show(t("proofOf", { number: order.order_id }),
      el("p", {}, el("button", { type: "button", class: "main", onclick: () => frame.contentWindow.print() }, t("print"))), frame);
    fill(frame, text);
  } catch (problem) {
    show(t("proof"), notice(problem));
  }
}

const fact = (name, value) => el("div", {}, el("dt", {}, name), el("dd", {}, value));

/**
 * Put the mail into the frame. The policy of the page, which the frame has too, lets no markup bring styles of its own: they
 * get another name before the markup is read, and are set by hand. Links lead nowhere, and pictures are not fetched.
 */
function fill(frame, html) {
  const sheets = [...html.matchAll(/<style[^>]*>([^]*?)<\/style>/g)].map(([, rules]) => rules);
  const named = html.replace(/<style[^>]*>[^]*?<\/style>/g, "").replace(/(<[^>]*?\s)style=/g, "$1data-style=");
  const mail = new DOMParser().parseFromString(named, "text/html");
  const there = frame.contentDocument;
  const sheet = new frame.contentWindow.CSSStyleSheet();
  sheet.replaceSync(sheets.join("\n"));
  there.adoptedStyleSheets = [sheet];
  for (const link of mail.querySelectorAll("a[href]")) link.removeAttribute("href");
  for (const picture of mail.querySelectorAll("img")) picture.replaceWith(picture.alt);
  there.title = mail.title; // of what is printed
  there.documentElement.lang = mail.documentElement.lang;
  there.documentElement.replaceChild(there.adoptNode(mail.body), there.body);
  for (const element of [there.body, ...there.querySelectorAll("[data-style]")]) element.style.cssText = element.dataset.style ?? "";
  frame.style.height = `${Math.min(there.documentElement.scrollHeight + 2, 2000)}px`;
}
