/** A file or a list of codes, and its way into the stock, a part at a time: the whole may take longer than an answer may. */
import { call, Problem } from "./api.js";
import { t } from "./words.js";

const LINES_AT_ONCE = 1000;

/** `{header, entries}`: the lines that hold something, each by its number; `header` is null for a plain list of codes. */
export function read(text) {
  const entries = text.split(/\r\n|\r|\n/).map((line, index) => ({ number: index + 1, text: line })).filter(({ text: line }) => /[^\s,;]/.test(line));
  const names = (entries[0]?.text ?? "").toLowerCase().split(/[;,]/).map((cell) => cell.replace(/["\s]/g, ""));
  return names.includes("code") ? { header: entries[0].text, entries: entries.slice(1) } : { header: null, entries };
}

/** Old spreadsheet programs write Windows' own characters. */
export function decoded(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder("windows-1252").decode(bytes);
  }
}

/** What was added and left out, of all parts. Whatever happens, `total` has what came before. */
export async function send({ sku, batch, activateBefore, header, entries }, { dryRun, total, reached }) {
  for (let done = 0; done < entries.length; done += LINES_AT_ONCE) {
    const part = entries.slice(done, done + LINES_AT_ONCE);
    const lines = part.map(({ text }) => text);
    const body = header === null ? { codes: lines.map((line) => line.trim()), batch, activate_before: activateBefore } : [header, ...lines].join("\n");
    const answer = await call("POST", `stock/${encodeURIComponent(sku)}${dryRun ? "?dry_run=true" : ""}`, { body });
    const first = header === null ? 1 : 2;
    const ofFile = (faults) => faults.map(({ line, reason }) => ({ line: part[line - first].number, reason }));
    total.added += answer.added;
    total.duplicates.push(...ofFile(answer.duplicates));
    total.invalid.push(...ofFile(answer.invalid));
    total.serves = Math.max(total.serves, answer.serves);
    if (answer.not_reached > 0) throw new Problem(0, t("tooSlow"));
    reached(done + part.length);
  }
}
