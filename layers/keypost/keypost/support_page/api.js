/** The support API. It lies beside this page, whatever the domain and the stage are called. */
import { key } from "./session.js";
import { spoken, t, useZone, word } from "./words.js";

const ROOT = new URL("../", import.meta.url);

/** An answer that is not what was asked for: its text is for people. `about` is the problem in full (RFC 9457). */
export class Problem extends Error {
  constructor(status, detail, about = {}) {
    super(detail);
    this.status = status;
    this.about = about;
  }
}

export async function call(method, path, { body, headers } = {}) {
  const isFile = typeof body === "string" || body instanceof Blob;
  const content = body === undefined ? {} : { "Content-Type": isFile ? "text/csv" : "application/json" };
  const used = key.get();
  let answer;
  try {
    answer = await fetch(new URL(path, ROOT), {
      method,
      headers: { Authorization: `Bearer ${used}`, Accept: "application/json", "Accept-Language": spoken(), ...content, ...headers },
      body: isFile ? body : JSON.stringify(body),
      cache: "no-store",
      credentials: "omit",
      redirect: "error",
    });
  } catch {
    throw new Problem(0, t("unreachable"));
  }
  const told = await contentOf(answer);
  if (told.zone) useZone(told.zone);
  if (answer.ok) return told;
  const problem = new Problem(answer.status, sentence(answer.status, told), told);
  if (answer.status === 401 && used === key.get()) document.dispatchEvent(new CustomEvent("key-refused", { detail: problem }));
  throw problem;
}

/** JSON, or the text of a page or a file. A text and a list have the query of the part behind it. */
async function contentOf(answer) {
  const next = /<([^>]*)>; rel="next"/.exec(answer.headers.get("Link"))?.[1];
  if (/^text\/(html|csv)/.test(answer.headers.get("Content-Type") ?? "")) return { text: await answer.text(), next };
  const told = await answer.json().catch(() => ({}));
  return Array.isArray(told) ? Object.assign(told, { next }) : told;
}

/** What API Gateway answers by itself comes without the language of the page, and with a code that it knows. */
function sentence(status, told) {
  if (status === 401) return word("key_refused");
  if (told.code === "key_lacks_scope") return t("keyLacks", { what: word(`scope_${told.values.scope}`) ?? told.values.scope });
  return (told.code && word(told.code)) ?? (told.code ? told.detail : t("failed", { status }));
}
