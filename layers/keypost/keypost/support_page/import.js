/** New codes: first what they are, then, when a person says so, into the stock. */
import { decoded, hasColumns, read, send, sendFile } from "./codes.js";
import { field, notice, tell } from "./dialogs.js";
import { el } from "./dom.js";
import { count, number, t } from "./words.js";

const FAULTS_SHOWN = 100;

/** `changed` is called when the stock is another one. */
export function importer(stocks, changed) {
  const told = el("div", { "aria-live": "polite" });
  const form = el("form", { onsubmit: checked },
    el("div", { class: "grid" },
      field(t("product"), el("select", { id: "sku", name: "sku" }, stocks.map(({ sku, name }) => el("option", { value: sku }, name)))),
      field(t("batch"), el("input", { id: "batch", name: "batch", maxlength: 64, autocomplete: "off" }), t("ofList")),
      field(t("activateBefore"), el("input", { id: "activate-before", name: "activate_before", type: "date" }), t("ofList"))),
    field(t("file"), el("input", { id: "file", name: "file", type: "file", accept: ".csv,.txt,text/csv,text/plain" }), t("fileHint")),
    field(t("orPaste"), el("textarea", { id: "codes", name: "codes", rows: 4, class: "mono", autocomplete: "off", spellcheck: "false" })),
    el("button", { class: "main", type: "submit" }, t("check")));

  async function checked(event) {
    event.preventDefault();
    const given = new FormData(form);
    const file = given.get("file");
    const [batch, activateBefore] = ["batch", "activate_before"].map((name) => given.get(name) || undefined);
    const { text, body } = file.size > 0 ? decoded(await file.arrayBuffer()) : { text: given.get("codes"), body: given.get("codes") };
    const wanted = { sku: given.get("sku"), batch, activateBefore, entries: read(text), body: hasColumns(text) ? body : null };
    if (wanted.entries.length === 0) return refuse("noCodes");
    if (wanted.body !== null && (batch || activateBefore)) return refuse("ownColumns");
    const { total, problem } = await sent(wanted, true);
    told.replaceChildren(problem ? notice(problem) : preview(total, () => imported(wanted), () => told.replaceChildren()));
    told.querySelector("h3")?.focus();
  }

  const refuse = (why) => told.replaceChildren(el("p", { class: "notice bad" }, t(why)));

  async function imported(wanted) {
    const { total, problem } = await sent(wanted, false);
    if (problem) {
      told.replaceChildren(el("p", { class: "notice bad" }, problem.message, " ", t("importStopped", { n: number(total.added) })));
    } else {
      form.reset();
      told.replaceChildren(el("div", { class: "notice" }, el("h3", {}, count("imported", total.added)), outcome(total)));
      tell(count("imported", total.added));
    }
    if (total.added > 0) await changed();
  }

  async function sent(wanted, dryRun) {
    const total = { added: 0, duplicates: [], invalid: [], serves: 0 };
    const doing = t(dryRun ? "checking" : "importing");
    const bar = el("progress", { max: wanted.entries.length, value: 0, "aria-label": doing });
    told.replaceChildren(el("div", { class: "notice" }, el("p", {}, doing), bar));
    try {
      await (wanted.body === null ? send : sendFile)(wanted, { dryRun, total, reached: (lines) => { bar.value = lines; } });
      return { total };
    } catch (problem) {
      return { total, problem };
    }
  }

  return el("section", { class: "card", "aria-labelledby": "import" }, el("h2", { id: "import" }, t("import")), form, told);
}

function preview(total, confirmed, canceled) {
  return el("div", { class: "notice" },
    el("h3", { tabindex: "-1" }, count("preview", total.added)),
    understanding(total.understood),
    outcome(total),
    el("div", { class: "buttons" },
      total.added > 0 && el("button", { type: "button", class: "main", onclick: confirmed }, count("importCodes", total.added)),
      el("button", { type: "button", onclick: canceled }, t("cancel"))));
}

/** How a file was read: what each column is, its first codes, and what was read otherwise than it stands there. */
function understanding(read) {
  if (!read) return null;
  const columns = read.columns.map(({ name, meaning }) => el("li", {}, t(meaning ? "columnIs" : "columnUnused", { name, what: meaning && t(`column_${meaning}`) })));
  const changed = read.changed.slice(0, FAULTS_SHOWN).map(({ line, column, reason }) =>
    el("li", {}, t("onLine", { line: number(line) }), " ", column && `${column}: `, reason.text));
  return [
    el("p", {}, t("readAs", { line: number(read.header_line), encoding: read.encoding })),
    el("ul", {}, columns),
    changed.length > 0 && el("details", {}, el("summary", {}, count("changedCells", read.changed_count)), el("ul", {}, changed)),
  ];
}

/** What is left out and why, and whom the others serve. */
function outcome({ duplicates, invalid, serves, isLeast, known = duplicates.length, wrong = invalid.length }) {
  const counts = { duplicates: known, invalid: wrong, [isLeast ? "servesAtLeast" : "serves"]: serves };
  const told = Object.entries(counts).filter(([, n]) => n > 0).map(([name, n]) => el("li", {}, count(name, n)));
  const faults = [...duplicates, ...invalid].sort((one, other) => one.line - other.line);
  const rows = faults.slice(0, FAULTS_SHOWN).map(({ line, reason }) =>
    el("tr", {}, el("th", { scope: "row", class: "number" }, number(line)), el("td", {}, reason)));
  return [
    told.length > 0 && el("ul", {}, told),
    rows.length > 0 && el("table", { class: "faults" },
      el("thead", {}, el("tr", {}, el("th", { scope: "col" }, t("line")), el("th", { scope: "col" }, t("wrong")))),
      el("tbody", {}, rows)),
    known + wrong > FAULTS_SHOWN && el("p", {}, count("more", known + wrong - FAULTS_SHOWN)),
  ];
}
