/** A file or a list of codes, and its way into the stock, a part at a time: the whole may take longer than an answer may. */
import { call, Problem } from "./api.js";
import { t } from "./words.js";

const LINES_AT_ONCE = 1000;
const LINE_END = /\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]/; // as the API splits them

/** The lines of a list of codes that hold something, each with its number and its code. */
export function read(text) {
  const lines = text.split(LINE_END).map((line, index) => ({ number: index + 1, text: line })).filter(({ text: line }) => /[^\s,;]/.test(line));
  return lines.map((line) => ({ ...line, code: spelled(line.text) }));
}

/** Whether a text has columns, which the API reads as a whole: a list has a code on each line and nothing else. */
export const hasColumns = (text) => /[,;|\t]\s*\S|^\W*(activat\w*|licen\w*)?\W*codes?\W*$/im.test(text.slice(0, 10_000));

/** A code as the stock spells it. */
const spelled = (code) => code.trim().replace(/[\s\u2010-\u2015\u2212\ufe58\ufe63\uff0d-]+/g, "-").toUpperCase();

/** What a file says, and what to send of it: its own bytes, but for those of old programs, which write Windows' own characters. */
export function decoded(bytes) {
  const [first, second] = new Uint8Array(bytes);
  const wide = { "255,254": "utf-16le", "254,255": "utf-16be" }[`${first},${second}`];
  try {
    return { text: new TextDecoder(wide ?? "utf-8", { fatal: true }).decode(bytes), body: new Blob([bytes]) };
  } catch {
    const text = new TextDecoder("windows-1252").decode(bytes);
    return { text, body: text };
  }
}

/** Send a file with columns as it is. What one call has no time for, the next one goes on with. */
export async function sendFile({ sku, body }, { dryRun, total, reached }) {
  for (let rest = Infinity; rest > 0; ) {
    const answer = await call("POST", `stock/${encodeURIComponent(sku)}${dryRun ? "?dry_run=true" : ""}`, { body });
    const isFirst = rest === Infinity;
    if (!isFirst && answer.not_reached >= rest) throw new Problem(0, t("tooSlow"));
    total.added += answer.added;
    total.serves = Math.max(total.serves, answer.serves);
    if (isFirst) Object.assign(total, firstOf(answer));
    rest = dryRun ? 0 : answer.not_reached;
    reached(rest);
  }
}

/** What the first call says of the whole file: each line that is left out, but of very many the first ones and how many there are. */
const firstOf = ({ duplicates, duplicate_count: known, invalid, invalid_count: wrong, understood }) =>
  ({ duplicates: told(duplicates), known, invalid: told(invalid), wrong, understood });

const told = (faults) => faults.map(({ line, column, reason }) => ({ line, reason: column ? `${column}: ${reason.text}` : reason.text }));

/**
 * Send a list in parts. What was added and left out, of all parts, is in `total`, whatever happens. Of several parts,
 * `serves` is the least: an order may lack codes of more than one.
 */
export async function send({ sku, batch, activateBefore, entries }, { dryRun, total, reached }) {
  const looked = new Map();
  total.isLeast = entries.length > LINES_AT_ONCE;
  for (let done = 0; done < entries.length; done += LINES_AT_ONCE) {
    const part = entries.slice(done, done + LINES_AT_ONCE);
    const body = { codes: part.map(({ text }) => text.trim()), batch, activate_before: activateBefore };
    const answer = await call("POST", `stock/${encodeURIComponent(sku)}${dryRun ? "?dry_run=true" : ""}`, { body });
    const ofList = (faults) => faults.map(({ line, reason }) => ({ line: part[line - 1].number, reason: inList(reason, part) }));
    const [duplicates, invalid] = [ofList(answer.duplicates), ofList(answer.invalid)];
    const twins = dryRun ? twinsIn(part, [...duplicates, ...invalid], looked) : [];
    total.added += answer.added - twins.length;
    total.duplicates.push(...duplicates, ...twins);
    total.invalid.push(...invalid);
    total.serves = Math.max(total.serves, answer.serves);
    if (answer.not_reached > 0) throw new Problem(0, t("tooSlow"));
    reached(done + part.length);
  }
}

/** Why a line is left out, where it names another line of its part as that stands in the list. */
const inList = ({ code, values, text }, part) => (code === "same_code_as_on_line" ? t("sameCode", { line: part[values.line - 1].number }) : text);

/** The lines with a code of an earlier part, of which a dry run knows nothing; `looked` has the line of each good code. */
function twinsIn(part, faults, looked) {
  const bad = new Set(faults.map(({ line }) => line));
  const good = part.filter(({ number }) => !bad.has(number));
  const twins = good.filter(({ code }) => looked.has(code));
  for (const { number, code } of good) if (!looked.has(code)) looked.set(code, number);
  return twins.map(({ number, code }) => ({ line: number, reason: t("sameCode", { line: looked.get(code) }) }));
}
