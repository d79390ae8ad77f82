/** Keypost's page for support agents: who may look, in which language, and at what. */
import { read } from "./addresses.js";
import { reopen, tell, typed } from "./dialogs.js";
import { askToSignIn, cameBack } from "./door.js";
import * as due from "./due.js";
import { finder } from "./finder.js";
import * as inbox from "./inbox.js";
import * as mails from "./mails.js";
import * as order from "./orders.js";
import * as search from "./search.js";
import { borrowed, key, remembered, signOutEverywhere } from "./session.js";
import * as stock from "./stock.js";
import { speak, spoken, t, zone } from "./words.js";
import * as worklist from "./worklist.js";

const VIEWS = { worklist, search, order, stock, due, inbox, mails };
const main = document.getElementById("main");
const views = document.getElementById("views");
const signOut = document.getElementById("sign-out");

/** Show what the address says. A view gets the part of the page to fill, and is done when something stands there. */
async function show({ focus = false } = {}) {
  const address = read(location.hash);
  const view = VIEWS[address.view];
  frame(address, Boolean(key.get()));
  if (!key.get()) return;
  entitle(view.title(address));
  const shown = view.show(main, address);
  if (focus) main.querySelector("h1").focus();
  await shown;
  if (focus && [document.body, main.querySelector("h1")].includes(document.activeElement)) focusOn(); // not where the agent went meanwhile
  const draft = remembered.take("draft");
  if (draft?.hash === location.hash) restore(draft);
}

const focusOn = () => (main.querySelector("[data-focus]") ?? main.querySelector("h1")).focus();

function frame({ view }, isIn) {
  document.documentElement.lang = spoken();
  for (const part of document.querySelectorAll("[data-text]")) part.textContent = t(part.dataset.text);
  for (const part of document.querySelectorAll("[data-named]")) part.setAttribute("aria-label", t(part.dataset.named));
  for (const choice of document.querySelectorAll("[data-language]"))
    choice.setAttribute("aria-pressed", choice.dataset.language === spoken());
  for (const link of views.children) link.ariaCurrent = read(link.hash).view === view ? "page" : null;
  showZone();
  for (const part of [views, signOut, document.querySelector("footer")]) part.hidden = !isIn;
  finder(document.getElementById("finder"), isIn);
}

const entitle = (title) => { document.title = `${title} · Keypost`; };

function showZone() {
  document.getElementById("zone").textContent = t("times", { zone: zone() });
}

function restore({ inputs, dialog }) {
  for (const [id, value] of inputs) {
    const input = document.getElementById(id);
    if (!input) continue;
    input.value = value;
    input.dispatchEvent(new Event("input", { bubbles: true }));
  }
  if (dialog) reopen(dialog);
}

/** Ask who is there. `problem` says why, if somebody was. */
function askWho(problem) {
  entitle(t("signIn"));
  frame(read(location.hash), false);
  askToSignIn(main, problem, () => show({ focus: true }));
}

function leave() {
  key.forget();
  for (const view of Object.values(VIEWS)) view.forget();
  for (const dialog of document.querySelectorAll("dialog")) dialog.close();
}

function signedOut() {
  leave();
  remembered.forgetAll();
  askWho();
}

for (const choice of document.querySelectorAll("[data-language]")) {
  choice.addEventListener("click", () => {
    speak(choice.dataset.language);
    for (const view of Object.values(VIEWS)) view.reword?.();
    if (key.get()) show();
    else askWho();
  });
}
document.getElementById("skip").addEventListener("click", (event) => {
  event.preventDefault(); // the address is that of a view
  main.focus();
});
signOut.addEventListener("click", () => {
  signOutEverywhere();
  signedOut();
});
document.addEventListener("signed-out", signedOut);
document.addEventListener("key-refused", ({ detail: problem }) => {
  const inputs = [...main.querySelectorAll("input[data-kept]")].map(({ id, value }) => [id, value]);
  const wasIn = main.querySelector("#key") === null;
  if (wasIn) remembered.keep("draft", { hash: location.hash, inputs, dialog: typed() });
  leave();
  askWho(wasIn ? Object.assign(problem, { message: t("keyEnded") }) : problem);
});
document.addEventListener("signed-in", () => show({ focus: true }));
document.addEventListener("zone-known", showZone);
addEventListener("hashchange", () => {
  tell("");
  for (const dialog of document.querySelectorAll("dialog")) dialog.close();
  if (key.get()) show({ focus: true });
});

const problem = await cameBack();
if (!key.get() && !problem) await borrowed();
if (!key.get()) askWho(problem);
else show();
