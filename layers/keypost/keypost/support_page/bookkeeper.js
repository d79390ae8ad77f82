/** A month for the bookkeeper, as a file for a spreadsheet. */
import { call } from "./api.js";
import { ask, field } from "./dialogs.js";
import { el } from "./dom.js";
import { saved } from "./download.js";
import { t, today } from "./words.js";

export function month() {
  const now = today().slice(0, 7);
  ask({
    title: t("month"), intro: t("monthIntro"), confirm: t("save"),
    fields: [field(t("monthOf"), el("input", { id: "month", name: "month", type: "month", required: true, value: now, max: now, placeholder: "2026-11" }))],
    async send({ month: wanted }) {
      let rows = "";
      for (let query = `?month=${wanted}`; query; ) {
        const { text, next } = await call("GET", `export/orders${query}`);
        rows += text;
        query = next;
      }
      return { wanted, rows };
    },
    done: ({ wanted, rows }) => saved(`orders-${wanted}.csv`, rows, "text/csv"),
  });
}
