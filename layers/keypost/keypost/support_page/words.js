/** The language of the page, and how it says moments, days, amounts and numbers. */
import { SAID } from "./said.js";
import { DEFAULT, FALLBACK, LOCALES, TEXTS } from "./texts.js";

const KEPT = "keypost-language";

export const languages = Object.keys(TEXTS);

let language = [sessionStorage.getItem(KEPT), ...navigator.languages.map((name) => name.slice(0, 2))]
  .find((name) => languages.includes(name)) ?? FALLBACK;
let shopZone = Intl.DateTimeFormat().resolvedOptions().timeZone; // until the API has said the shop's

export const spoken = () => language;

export function speak(chosen) {
  language = chosen;
  sessionStorage.setItem(KEPT, chosen);
}

export const zone = () => shopZone;

/** Moments are those of the shop from now on. */
export function useZone(name) {
  if (name === shopZone) return;
  shopZone = name;
  document.dispatchEvent(new CustomEvent("zone-known"));
}

export function t(name, values = {}) {
  return TEXTS[language][name].replace(/\{(\w+)\}/g, (_, key) => String(values[key]));
}

/** One or many: "{n} code" stands under `name.one`. */
export const count = (name, n, values = {}) => t(n === 1 ? `${name}.one` : name, { n: number(n), ...values });

/** What stands for a word of the API, such as `partly refunded` of the kind `standing`; a word that is not known stays. */
export const said = (kind, text) => word(`${kind}_${text}`) ?? text;

/** The words under a code of the API, for a code that needs no values. */
export const word = (code) => SAID[language][code.replaceAll(" ", "_")];

/** A language as one names it in that of the page: Dutch, Nederlands, Niederländisch. */
export const languageName = (name) => new Intl.DisplayNames(LOCALES[language], { type: "language" }).of(name);

/** In which a customer of this language is written to; one of whom nobody says it in the default one. */
export const writtenTo = (name = DEFAULT) => (languages.includes(name) ? name : FALLBACK);

/** As a heading begins. */
export const capital = (text) => text.charAt(0).toLocaleUpperCase(LOCALES[language]) + text.slice(1);

const format = (options) => new Intl.DateTimeFormat(LOCALES[language], options);

export const moment = (iso) =>
  format({ day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", timeZone: shopZone })
    .format(new Date(iso));

/** A day is a day of the shop, so no clock moves it. */
export const day = (iso, options = { day: "numeric", month: "short", year: "numeric" }) =>
  format({ ...options, timeZone: "UTC" }).format(new Date(`${iso}T00:00:00Z`));

/** The day of the shop that it is now. */
export const today = () => new Intl.DateTimeFormat("sv-SE", { timeZone: shopZone }).format(new Date());

/** The day of the shop that is so many days before today. */
export const daysAgo = (n) => new Date(Date.parse(today()) - n * 86_400_000).toISOString().slice(0, 10);

export const weekday = (iso) => day(iso, { weekday: "long", day: "numeric", month: "long" });

export const number = (n) => new Intl.NumberFormat(LOCALES[language]).format(n);

/** € 39,95 in Dutch, 39,95 € in German, €39.95 in English. */
export const money = (amount, currency) =>
  new Intl.NumberFormat(LOCALES[language], { style: "currency", currency }).format(amount);
