/** What a person typed or pasted, and the orders it belongs to. */
import { call } from "./api.js";

/** How to look for a text, by what it looks like: an address, a license, a payment, or any of the others; last as a part. */
const WAYS = [
  [/^[^@\s]+@[^@\s]+\.[^@\s]+$/, ["email", "text"]],
  [/@/, ["text"]],
  [/^LIC-[A-Z2-7]+$/i, ["license"]],
  [/^([a-z]+:.+|(cs|pi|ch|py|in|tr|sub|ord)_\w+)$/, ["payment"]],
  [/^/, ["order", "code", "payment", "text"]],
];

export const ways = (text) => WAYS.find(([pattern]) => pattern.test(text))[1];

/**
 * `{orders, total, names}`, of which there may be none; of a part of a text those since a day, with `next` for those behind
 * them. What was typed travels in a body: only the number of an order that exists is ever part of a URL, which ends in logs.
 */
export async function find(text, from) {
  let answer;
  for (const way of ways(text)) {
    answer = await call("POST", "orders/search", { body: { [way]: text, ...(way === "text" && { from }) } });
    if (answer.total > 0) break;
  }
  return answer;
}

/** What is behind that, of a part of a text. */
export const findMore = (text, from, page) => call("POST", "orders/search", { body: { text, from, page } });

/** The newest orders since a day. */
export const newest = (from, page) => call("GET", `orders?${new URLSearchParams({ from, ...(page && { page }) })}`);

export const load = (orderId) => call("GET", `orders/${encodeURIComponent(orderId)}`);
