/** What a person pasted, and the orders it belongs to. */
import { call } from "./api.js";

/** How to look for a text, by what it looks like: an address, a license, a payment, or any of the others. */
const WAYS = [
  [/@/, ["email"]],
  [/^LIC-[A-Z2-7]+$/i, ["license"]],
  [/^([a-z]+:.+|(cs|pi|ch|py|in|tr|sub|ord)_\w+)$/, ["payment"]],
  [/^/, ["order", "code", "payment"]],
];

export const ways = (text) => WAYS.find(([pattern]) => pattern.test(text))[1];

/**
 * `{orders, total, names}`, of which there may be none. What was pasted travels in a body: only the number of an order that
 * exists is ever part of a URL, which ends in logs.
 */
export async function find(text) {
  for (const way of ways(text)) {
    const answer = await call("POST", "orders/search", { body: { [way]: text } });
    if (answer.total > 0) return answer;
  }
  return { orders: [], total: 0, names: {} };
}

export const load = (orderId) => call("GET", `orders/${encodeURIComponent(orderId)}`);
