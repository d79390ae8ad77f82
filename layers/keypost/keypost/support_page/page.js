/** Keypost's page for support agents: who may look, in which language, and at what. */
import { call, key } from "./api.js";
import { field, notice, tell } from "./dialogs.js";
import { el } from "./dom.js";
import * as due from "./due.js";
import * as orders from "./orders.js";
import * as stock from "./stock.js";
import { speak, spoken, t, zone } from "./words.js";

const VIEWS = { orders, stock, due };
const main = document.getElementById("main");
const views = document.getElementById("views");
const signOut = document.getElementById("sign-out");

function show(problem) {
  const name = Object.hasOwn(VIEWS, location.hash.slice(1)) ? location.hash.slice(1) : "orders";
  document.title = `${t(key.get() ? name : "signIn")} · Keypost`;
  document.documentElement.lang = spoken();
  for (const part of document.querySelectorAll("[data-text]")) part.textContent = t(part.dataset.text);
  for (const part of document.querySelectorAll("[data-named]")) part.setAttribute("aria-label", t(part.dataset.named));
  for (const choice of document.querySelectorAll("[data-language]"))
    choice.setAttribute("aria-pressed", choice.dataset.language === spoken());
  for (const link of views.children) link.ariaCurrent = link.hash === `#${name}` ? "page" : null;
  showZone();
  for (const part of [views, signOut, document.querySelector("footer")]) part.hidden = !key.get();
  if (key.get()) VIEWS[name].show(main);
  else askForKey(problem);
}

function showZone() {
  document.getElementById("zone").textContent = t("times", { zone: zone() });
}

function askForKey(problem) {
  const input = el("input", { id: "key", name: "key", type: "password", required: true, autocomplete: "off", spellcheck: "false" });
  const told = el("div", { role: "alert" }, problem && notice(problem));
  const signedIn = async (event) => {
    event.preventDefault();
    told.replaceChildren();
    key.keep(input.value.trim());
    try {
      await call("POST", "orders/search", { body: { license: "LIC-AAAAAAAAAA" } }); // any answer will do
    } catch (refusal) {
      if (refusal.status === 401) return; // which asks again
      if (refusal.status !== 403) {
        key.forget();
        told.replaceChildren(notice(refusal));
        return;
      }
    }
    show();
    main.focus();
  };
  main.replaceChildren(el("section", { class: "card door" },
    el("h1", {}, t("signIn")),
    el("p", {}, t("signInIntro")),
    el("form", { onsubmit: signedIn }, field(t("key"), input, t("keyHint")), told,
      el("button", { class: "main", type: "submit" }, t("signIn")))));
  input.focus();
}

function leave(problem) {
  key.forget();
  for (const view of Object.values(VIEWS)) view.forget();
  for (const dialog of document.querySelectorAll("dialog")) dialog.close();
  show(problem);
}

for (const choice of document.querySelectorAll("[data-language]")) {
  choice.addEventListener("click", () => {
    speak(choice.dataset.language);
    for (const view of Object.values(VIEWS)) view.reword();
    show();
  });
}
signOut.addEventListener("click", () => leave());
document.addEventListener("key-refused", (event) => leave(event.detail));
document.addEventListener("zone-known", showZone);
addEventListener("hashchange", () => {
  tell("");
  show();
  main.focus();
});
show();
