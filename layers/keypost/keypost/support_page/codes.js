/** A file or a list of codes, and its way into the stock, a part at a time: the whole may take longer than an answer may. */
import { call, Problem } from "./api.js";
import { t } from "./words.js";

const LINES_AT_ONCE = 1000;
const LINE_END = /\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]/; // as the API splits them

/**
 * `{header, entries}`: the lines that hold something, each with its number and its code; `header` is null for a plain list
 * of codes.
 */
export function read(text) {
  const lines = text.split(LINE_END).map((line, index) => ({ number: index + 1, text: line })).filter(({ text: line }) => /[^\s,;]/.test(line));
  const header = lines[0]?.text ?? "";
  const delimiter = header.split(";").length > header.split(",").length ? ";" : ",";
  const column = cells(header.toLowerCase(), delimiter).indexOf("code");
  if (column < 0) return { header: null, entries: lines.map((line) => ({ ...line, code: spelled(line.text) })) };
  return { header, entries: lines.slice(1).map((line) => ({ ...line, code: spelled(cells(line.text, delimiter)[column] ?? "") })) };
}

/** The cells of a line: a delimiter between quotes is none. */
const cells = (line, delimiter) =>
  [...`${line}${delimiter}`.matchAll(new RegExp(`((?:"[^"]*"|[^"${delimiter}])*)${delimiter}`, "g"))]
    .map(([, cell]) => cell.trim().replace(/^"(.*)"$/, "$1").trim());

/** A code as the stock spells it. */
const spelled = (code) => code.trim().replace(/[\s\u2010-\u2015\u2212\ufe58\ufe63\uff0d-]+/g, "-").toUpperCase();

/** Old spreadsheet programs write Windows' own characters. */
export function decoded(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder("windows-1252").decode(bytes);
  }
}

/**
 * What was added and left out, of all parts. Whatever happens, `total` has what came before. Of several parts, `serves` is
 * the least: an order may lack codes of more than one.
 */
export async function send({ sku, batch, activateBefore, header, entries }, { dryRun, total, reached }) {
  const looked = new Map();
  total.isLeast = entries.length > LINES_AT_ONCE;
  for (let done = 0; done < entries.length; done += LINES_AT_ONCE) {
    const part = entries.slice(done, done + LINES_AT_ONCE);
    const lines = part.map(({ text }) => text);
    const body = header === null ? { codes: lines.map((line) => line.trim()), batch, activate_before: activateBefore } : [header, ...lines].join("\n");
    const answer = await call("POST", `stock/${encodeURIComponent(sku)}${dryRun ? "?dry_run=true" : ""}`, { body });
    const first = header === null ? 1 : 2;
    const ofFile = (faults) => faults.map(({ line, reason }) => ({ line: part[line - first].number, reason: inFile(reason, part, first) }));
    const [duplicates, invalid] = [ofFile(answer.duplicates), ofFile(answer.invalid)];
    const twins = dryRun ? twinsIn(part, [...duplicates, ...invalid], looked) : [];
    total.added += answer.added - twins.length;
    total.duplicates.push(...duplicates, ...twins);
    total.invalid.push(...invalid);
    total.serves = Math.max(total.serves, answer.serves);
    if (answer.not_reached > 0) throw new Problem(0, t("tooSlow"));
    reached(done + part.length);
  }
}

/** Why a line is left out, where it names another line of its part as that stands in the file. */
const inFile = ({ code, values, text }, part, first) =>
  code === "same_code_as_on_line" ? t("sameCode", { line: part[values.line - first].number }) : text;

/** The lines with a code of an earlier part, of which a dry run knows nothing; `looked` has the line of each good code. */
function twinsIn(part, faults, looked) {
  const bad = new Set(faults.map(({ line }) => line));
  const good = part.filter(({ number }) => !bad.has(number));
  const twins = good.filter(({ code }) => looked.has(code));
  for (const { number, code } of good) if (!looked.has(code)) looked.set(code, number);
  return twins.map(({ number, code }) => ({ line: number, reason: t("sameCode", { line: looked.get(code) }) }));
}
