/**
 * Signing in by OpenID Connect: the code flow with PKCE (RFC 7636), for a page, which can keep no secret. What must be the
 * same when the browser comes back stays in this tab until then.
 */
import { remembered } from "./session.js";

const HERE = () => location.origin + location.pathname;

/** Go to the issuer. `hash` is where the agent was. */
export async function start({ authorize, client, scope }, hash) {
  if (!authorize) throw new Error("unreachable");
  const [state, nonce, verifier] = [random(), random(), random()];
  remembered.keep("openid", { state, nonce, verifier, hash });
  const query = {
    response_type: "code", client_id: client, redirect_uri: HERE(), scope, state, nonce,
    code_challenge: await digest(verifier), code_challenge_method: "S256",
  };
  location.assign(`${authorize}${authorize.includes("?") ? "&" : "?"}${new URLSearchParams(query)}`);
}

/** `{token, hash}`, from what the issuer sent the browser back with. Throws when anything is not as this tab asked. */
export async function finish({ issuer, token, client }, answer) {
  const wanted = remembered.take("openid");
  if (!wanted || answer.get("state") !== wanted.state) throw new Error("state");
  if (answer.has("iss") && answer.get("iss") !== issuer) throw new Error("issuer"); // RFC 9207
  if (answer.has("error")) throw new Error(answer.get("error"));
  const body = { grant_type: "authorization_code", code: answer.get("code"), redirect_uri: HERE(), client_id: client, code_verifier: wanted.verifier };
  const given = await fetch(token, {
    method: "POST", body: new URLSearchParams(body), headers: { Accept: "application/json" },
    cache: "no-store", credentials: "omit", redirect: "error", referrerPolicy: "no-referrer",
  });
  if (!given.ok) throw new Error("token");
  const { access_token: access, id_token: id } = await given.json();
  if (claims(id)?.nonce !== wanted.nonce) throw new Error("nonce");
  return { token: claims(access) ? access : id, hash: wanted.hash }; // an access token that is no JWT is for the issuer alone
}

/** What a token says, without a check of its signature: it came from the issuer itself, and the support API checks it. */
function claims(token) {
  try {
    const part = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(part), (sign) => sign.charCodeAt(0))));
  } catch {
    return null;
  }
}

const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)));
const digest = async (text) => base64url(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))));
const base64url = (bytes) => btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
