/** Signing in: with a key of one's own, or at the issuer that the shop's people sign in at anyway. */
import { call, Problem } from "./api.js";
import { busy, field, notice } from "./dialogs.js";
import { el } from "./dom.js";
import { ISSUER } from "./issuer.js";
import { finish, start } from "./openid.js";
import { key } from "./session.js";
import { t } from "./words.js";

const WHOLE_KEY = /^kp_[0-9a-f]{10}_[0-9a-f]{64}$/;

/** Ask who is there; `signedIn` is called when that is known. `problem` says why somebody is asked again. */
export function askToSignIn(main, problem, signedIn) {
  const told = el("div", { role: "alert" }, problem && notice(problem));
  const refuse = (why) => told.replaceChildren(notice(why));
  const form = ISSUER ? atIssuer(told, refuse) : withKey(told, refuse, signedIn);
  main.replaceChildren(el("section", { class: "card door" },
    el("h1", { tabindex: "-1" }, t("signIn")),
    el("p", {}, t(ISSUER ? "signInIssuer" : "signInIntro")),
    form));
  form.querySelector("input, button").focus();
}

function withKey(told, refuse, signedIn) {
  const input = el("input", { id: "key", name: "key", type: "password", required: true, autocomplete: "off", spellcheck: "false" });
  const submit = el("button", { class: "main", type: "submit" }, t("signIn"));
  const submitted = (event) => {
    event.preventDefault();
    told.replaceChildren();
    const typed = input.value.trim();
    if (!WHOLE_KEY.test(typed)) return refuse(new Problem(0, t("keyMistyped")));
    return busy(submit, async () => {
      key.keep(typed);
      const problem = await tried();
      if (problem) refuse(problem);
      else if (key.get()) await signedIn();
    });
  };
  return el("form", { onsubmit: submitted }, field(t("key"), input, t("keyHint")), told, submit);
}

/** Why the service cannot be used now with a key that may be good. A key that it refuses is asked for again by the page. */
async function tried() {
  try {
    await call("POST", "orders/search", { body: { license: "LIC-AAAAAAAAAA" } }); // any answer will do
  } catch (refusal) {
    if ([401, 403].includes(refusal.status)) return null;
    key.forget();
    return refusal;
  }
  return null;
}

function atIssuer(told, refuse) {
  const submit = el("button", { class: "main", type: "submit" }, t("signIn"));
  const submitted = (event) => {
    event.preventDefault();
    return busy(submit, () => start(ISSUER, location.hash)).catch(() => refuse(new Problem(0, t("issuerUnreachable"))));
  };
  return el("form", { onsubmit: submitted }, told, submit);
}

/** Whether the browser comes back from the issuer: then the agent is signed in, or it says why not. */
export async function cameBack() {
  if (!location.search) return undefined;
  const answer = new URLSearchParams(location.search);
  history.replaceState(null, "", location.pathname + location.hash); // nothing of it stays in the browser's history
  if (!ISSUER || !answer.has("state")) return undefined;
  try {
    const { token, hash } = await finish(ISSUER, answer);
    history.replaceState(null, "", location.pathname + hash);
    key.keep(token);
    return undefined;
  } catch (error) {
    return new Problem(0, t(error.message === "access_denied" ? "issuerDenied" : "issuerFailed"));
  }
}
