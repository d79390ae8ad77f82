/** What can be done with the codes of a batch: who has them, out of the stock, to another product, or another code for all. */
import { ofOrder } from "./addresses.js";
import { call } from "./api.js";
import { ask, busy, field, notice } from "./dialogs.js";
import { el } from "./dom.js";
import { number, t, word } from "./words.js";

export function batches(stocks, changed) {
  const told = el("div", { "aria-live": "polite" });
  const options = () => stocks.map(({ sku, name }) => el("option", { value: sku }, name));
  const sku = el("select", { id: "batch-sku" }, options());
  const batch = el("input", { id: "batch-name", maxlength: 64, autocomplete: "off", required: true });
  const codes = el("textarea", { id: "batch-codes", rows: 3, maxlength: 20000, spellcheck: "false", autocomplete: "off" });
  const named = () => codes.value.split(/[\n,;]+/).map((code) => code.trim()).filter(Boolean);
  const form = el("form", { onsubmit: (event) => { event.preventDefault(); busy(event.submitter, show); } },
    el("div", { class: "grid" }, field(t("product"), sku), field(t("batch"), batch)),
    field(t("onlyCodes"), codes, t("onlyCodesHint")),
    el("div", { class: "buttons" },
      el("button", { type: "submit", class: "main" }, t("batchOrders")),
      ["withdraw", "put-back", "move"].map((name) => el("button", { type: "button", id: `batch-${name}`, onclick: () => (named().length > 0 || form.reportValidity()) && correct(name) }, t(`batch_${name}`))),
      el("button", { type: "button", id: "batch-replace", onclick: () => form.reportValidity() && replace() }, t("batch_replace"))));

  async function show() {
    const of = { batch: batch.value, sku: sku.value };
    const list = el("ul", {});
    const further = el("div", {});
    /** One page; the button gets the one behind it. */
    const page = async (after) => {
      const { orders, progress, next } = await call("POST", "batches/orders", { body: { ...of, next: after } });
      list.append(...orders.map((order) => el("li", {}, el("a", { href: ofOrder(order.order_id) }, order.order_id), ` · ${number(order.codes)}`)));
      further.replaceChildren(...next ? [el("button", { type: "button", id: "batch-more", class: "small", onclick: ({ target }) => busy(target, () => page(next).catch(failed)) }, t("moreOrders"))] : []);
      return progress;
    };
    const failed = (problem) => further.replaceChildren(notice(problem));
    try {
      const progress = await page();
      told.replaceChildren(el("div", { class: "notice" }, far(progress), list, further));
    } catch (problem) {
      told.replaceChildren(notice(problem));
    }
  }

  /** First what it would do, then, when a person says so, it. */
  async function correct(name) {
    const path = (dry) => `stock/${encodeURIComponent(sku.value)}/${name}${dry ? "?dry_run=true" : ""}`;
    const which = named().length > 0 ? { codes: named() } : { batch: batch.value };
    const body = (given) => ({ ...which, ...given });
    const to = el("select", { id: "batch-to", name: "to" }, options());
    const looked = name === "move" ? null : await call("POST", path(true), { body: body() }).catch((problem) => problem);
    if (looked instanceof Error) return told.replaceChildren(notice(looked));
    return ask({
      title: t(`batch_${name}`), intro: looked?.detail ?? t("batchMoveIntro"), confirm: t(`batch_${name}`),
      fields: [name === "move" && field(t("product"), to), field(t("reasonMaybe"), el("textarea", { id: "reason", name: "reason", maxlength: 200 }))].filter(Boolean),
      send: (given) => untilWhole(() => call("POST", path(false), { body: body(given) })),
      async done({ detail }) {
        told.replaceChildren(el("p", { class: "notice" }, detail));
        codes.value = "";
        await changed();
      },
    });
  }

  function replace() {
    const reasons = ["invalid", "wrong region", "already used"].map((reason) => el("option", { value: reason }, word(reason)));
    ask({
      title: t("batch_replace"), intro: t("batchReplaceIntro", { batch: batch.value }), confirm: t("batch_replace"),
      fields: [
        field(t("swapReason"), el("select", { id: "batch-why", name: "reason" }, reasons)),
        field(t("note"), el("textarea", { id: "note", name: "note", maxlength: 200 })),
      ],
      send: (given) => call("POST", "batches/replace", { body: { batch: batch.value, sku: sku.value, ...given } }),
      done: (progress) => told.replaceChildren(el("div", { class: "notice" }, far(progress))),
    });
  }

  return el("section", { class: "card", "aria-labelledby": "batches" }, el("h2", { id: "batches" }, t("batches")), form, told);
}

/** One call has its bounds; the same one goes on. */
async function untilWhole(send) {
  const first = await send();
  for (let last = first; !last.is_whole; ) last = await send();
  return first;
}

const far = ({ state, replaced, given, left_out: stays }) => [
  el("p", {}, t("batchFar", { state: t(`batch_state_${state.replace(" ", "_")}`), replaced: number(replaced), given: number(given) })),
  stays.length > 0 && el("ul", {}, stays.map(({ reason, codes }) => el("li", {}, `${number(codes)}: ${reason.text}`))),
];
