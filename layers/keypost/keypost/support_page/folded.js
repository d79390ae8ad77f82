/** Long lists, of which the first entries are enough until somebody asks for all. */
import { el } from "./dom.js";
import { count, number, t } from "./words.js";

const SHOWN = 10;
const unfolded = new Set(); // by name of the list and address of the page, so that a list stays as it was left

/** The list that `made` makes of the first entries, with a button for all of them. */
export function folded(name, entries, made) {
  if (entries.length <= SHOWN + 2) return made(entries); // a button for two more would be longer than these
  const at = `${location.hash} ${name}`;
  const place = el("div", { class: "folded" });
  const draw = () => {
    const isAll = unfolded.has(at);
    place.replaceChildren(
      made(isAll ? entries : entries.slice(0, SHOWN)),
      el("button", { type: "button", id: `all-${name}`, class: "small", "aria-expanded": String(isAll), onclick: toggle },
        isAll ? t("showFewer") : t("showAll", { n: number(entries.length) })));
  };
  const toggle = () => {
    if (!unfolded.delete(at)) unfolded.add(at);
    draw();
    document.getElementById(`all-${name}`).focus();
  };
  draw();
  return place;
}

/** The licenses of one product; of many, the first ones that have a text in their number or the end of their code. */
export function foldedLicenses(product, licenses, made) {
  const heading = el("h3", {}, product, licenses.length > 1 && el("span", { class: "quiet small" }, ` · ${count("codes", licenses.length)}`));
  if (licenses.length <= SHOWN) return el("div", { class: "product" }, heading, el("ul", { class: "list" }, licenses.map(made)));
  const list = el("ul", { class: "list" });
  const told = el("p", { class: "quiet small", role: "status" });
  const id = `filter-${licenses[0].line}`;
  const draw = (text) => {
    const wanted = text.trim().toUpperCase();
    const found = licenses.filter((one) => `${one.code} ${one.id}`.toUpperCase().includes(wanted));
    list.replaceChildren(...found.slice(0, SHOWN).map(made));
    told.textContent = t("shownOf", { n: number(Math.min(found.length, SHOWN)), all: number(found.length) });
  };
  draw("");
  return el("div", { class: "product" }, heading,
    el("div", { class: "field" },
      el("label", { for: id }, t("filter")),
      el("input", { id, "data-kept": true, type: "search", autocomplete: "off", spellcheck: "false", oninput: ({ target }) => draw(target.value) })),
    list, told);
}
