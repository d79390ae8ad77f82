/** What is in stock, how long it lasts, and new codes. */
import { call } from "./api.js";
import { batches } from "./batches.js";
import { chart } from "./chart.js";
import { busy, notice } from "./dialogs.js";
import { el } from "./dom.js";
import { importer } from "./import.js";
import { day, number, t } from "./words.js";

let stocks;
let place;

export const title = () => t("stock");

export async function show(main) {
  place = el("div", { class: "stack" });
  main.replaceChildren(
    el("div", { class: "head" }, el("h1", { tabindex: "-1" }, t("stock")),
      el("button", { type: "button", class: "small", onclick: ({ target }) => busy(target, load) }, t("refresh"))),
    place);
  if (stocks) draw();
  else await load();
}

export function forget() {
  stocks = undefined;
}

/** In another language products have other names. */
export const reword = forget;

async function load() {
  place.replaceChildren(el("p", { class: "quiet" }, t("loading")));
  try {
    stocks = (await call("GET", "stock")).stock;
    draw();
  } catch (problem) {
    place.replaceChildren(el("div", { role: "alert" }, notice(problem)));
  }
}

function draw() {
  const numbers = el("div", {}, table());
  const charts = el("div", { class: "charts" }, lines());
  const changed = async () => {
    stocks = (await call("GET", "stock")).stock;
    numbers.replaceChildren(table());
    charts.replaceChildren(...lines());
  };
  place.replaceChildren(
    el("section", { class: "card", "aria-labelledby": "numbers" }, el("h2", { id: "numbers" }, t("inStock")), numbers),
    el("section", { class: "card", "aria-labelledby": "forecast" }, el("h2", { id: "forecast" }, t("forecast")), charts),
    importer(stocks, changed),
    batches(stocks, changed));
}

const COLUMNS = ["free", "promised", "waiting", "used", "used_today"];

function table() {
  const rows = stocks.map((stock) => el("tr", {},
    el("th", { scope: "row" }, stock.name, " ", el("span", { class: "quiet small" }, stock.sku),
      stock.is_retired ? [" ", el("span", { class: "pill" }, t("notSold"))] : []),
    COLUMNS.map((name) => el("td", { class: "right", "data-label": t(name) }, number(stock[name]))),
    el("td", { "data-label": t("lasts") }, stock.runs_out ? el("span", { class: "pill bad" }, day(stock.runs_out)) : t("longer")),
    el("td", { "data-label": t("toOrder") },
      stock.to_order ? t("orderBefore", { n: number(stock.to_order), day: day(stock.order_before) }) : "–")));
  return el("table", { class: "cards" },
    el("thead", {}, el("tr", {},
      el("th", { scope: "col" }, t("product")),
      COLUMNS.map((name) => el("th", { scope: "col", class: "right" }, t(name))),
      el("th", { scope: "col" }, t("lasts")),
      el("th", { scope: "col" }, t("toOrder")))),
    el("tbody", {}, rows));
}

const lines = () => stocks.map((stock) =>
  el("figure", {}, el("figcaption", {}, stock.name), chart({ name: stock.name, course: stock.course, runsOut: stock.runs_out })));
