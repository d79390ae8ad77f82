/** The field by which an order is looked for, above every view. What is typed there never stands in an address. */
import { el } from "./dom.js";
import { look, looked } from "./search.js";
import { t } from "./words.js";

export function finder(place, isIn) {
  place.hidden = !isIn;
  if (!isIn) return place.replaceChildren();
  const input = el("input", {
    id: "wanted", name: "wanted", type: "search", required: true, autocomplete: "off", autocapitalize: "off", spellcheck: "false",
    placeholder: t("searchExample"), "aria-describedby": "wanted-hint", value: document.getElementById("wanted")?.value || looked(),
  });
  const submitted = (event) => {
    event.preventDefault();
    const text = input.value.trim().replace(/^#/, "");
    if (text) look(text);
  };
  return place.replaceChildren(el("form", { role: "search", onsubmit: submitted },
    el("label", { for: "wanted", class: "unseen" }, t("searchLabel")),
    el("div", { class: "search" }, input, el("button", { class: "main", type: "submit" }, t("search"))),
    el("p", { class: "hint", id: "wanted-hint" }, t("searchHint"))));
}
