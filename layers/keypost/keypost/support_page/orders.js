/** One order, by its address: its story, read again after every action and while a mail of it is on its way. */
import { call } from "./api.js";
import { notice, tell } from "./dialogs.js";
import { el } from "./dom.js";
import { load } from "./find.js";
import { story } from "./order.js";
import { remembered } from "./session.js";
import { t } from "./words.js";

const REFRESHES = 6;
const REFRESH_MS = 2500;

let order;
let place;
let refresh;

export const title = ({ order: number }) => t("order", { number });

export async function show(main, { order: number }) {
  clearTimeout(refresh);
  place = el("div", { class: "stack story" });
  main.replaceChildren(place);
  if (order?.order_id === number) draw(); // at once what was seen before, then what is
  else {
    order = undefined;
    place.replaceChildren(el("h1", { tabindex: "-1" }, title({ order: number })), el("p", { class: "quiet" }, t("looking")));
  }
  await read(number).catch((problem) => refuse(number, problem));
}

export function forget() {
  clearTimeout(refresh);
  order = undefined;
}

/** In another language the API says it again. */
export const reword = forget;

function refuse(number, problem) {
  order = undefined;
  place.replaceChildren(el("h1", { tabindex: "-1" }, title({ order: number })), el("div", { role: "alert" }, notice(problem)));
}

async function read(number, left = REFRESHES) {
  const asked = place;
  const now = await load(number);
  if (asked !== place || !place.isConnected) return; // another view is shown by now
  if (JSON.stringify(now) !== JSON.stringify(order)) {
    order = now;
    draw();
  }
  follow(left);
}

/** Draw it, and leave the focus where it is. */
function draw() {
  const focused = document.activeElement?.id;
  const toRead = remembered.get(warningsOf(order)) ?? [];
  place.replaceChildren(...story(order, { act, changed, warnings: toRead, isRead }).filter(Boolean));
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
}

const act = (rest, method, body, headers) => call(method, `orders/${encodeURIComponent(order.order_id)}/${rest}`, { body, headers });
const warningsOf = ({ order_id: number }) => `warnings-${number}`;

/** Somebody has read what an action found. */
function isRead(warning) {
  const left = (remembered.get(warningsOf(order)) ?? []).filter((each) => JSON.stringify(each) !== JSON.stringify(warning));
  remembered.keep(warningsOf(order), left);
  draw();
  place.querySelector("h1").focus();
}

/** Show what became of the order, with what its agent must know: that stays until it is read. What was done is done, also when the order cannot be read again. */
async function changed(text, warnings = []) {
  if (warnings.length > 0) remembered.keep(warningsOf(order), warnings);
  tell(text);
  const number = order.order_id;
  order = undefined;
  await read(number).catch((problem) => refuse(number, problem));
  place.querySelector("h1")?.focus();
}

/** Read it again for as long as a mail of it is on its way. */
function follow(left) {
  clearTimeout(refresh);
  if (left === 0 || !order?.mails.some((mail) => ["pending", "sending"].includes(mail.state))) return;
  refresh = setTimeout(() => {
    if (document.querySelector("dialog")) follow(left);
    else read(order.order_id, left - 1).catch(() => {}); // the next look tells what is wrong
  }, REFRESH_MS);
}
