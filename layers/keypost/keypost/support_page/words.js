/** The language of the page, and how it says moments, days and numbers. */
import { TEXTS } from "./texts.js";

const KEPT = "keypost-language";
const LOCALES = { nl: "nl-NL", en: "en-GB" };
export const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

let language = sessionStorage.getItem(KEPT) ?? (navigator.language.startsWith("nl") ? "nl" : "en");

export const spoken = () => language;

export function speak(chosen) {
  language = chosen;
  sessionStorage.setItem(KEPT, chosen);
}

export function t(name, values = {}) {
  return TEXTS[language][name].replace(/\{(\w+)\}/g, (_, key) => String(values[key]));
}

/** One or many: "{n} code" stands under `name.one`. */
export const count = (name, n) => t(n === 1 ? `${name}.one` : name, { n: number(n) });

/** What the API says in English, in the language of the page where it is known. */
export function said(kind, text) {
  return TEXTS[language][`${kind}: ${text}`] ?? text;
}

const format = (options) => new Intl.DateTimeFormat(LOCALES[language], options);

export const moment = (iso) =>
  format({ day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", timeZoneName: "short" })
    .format(new Date(iso));

/** A day is a day of the shop, so no clock moves it. */
export const day = (iso, options = { day: "numeric", month: "short", year: "numeric" }) =>
  format({ ...options, timeZone: "UTC" }).format(new Date(`${iso}T00:00:00Z`));

export const weekday = (iso) => day(iso, { weekday: "long", day: "numeric", month: "long" });

export const number = (n) => new Intl.NumberFormat(LOCALES[language]).format(n);
