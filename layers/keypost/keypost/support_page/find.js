/** What a person pasted, and the orders it belongs to. */
import { call } from "./api.js";

const ORDER = /^(?!\.+$)[A-Za-z0-9._-]{1,80}$/;

/**
 * How to look for a text, by what it looks like. An order number is asked for in a URL, which ends in access logs. So what
 * may be a code is first looked for as one, and what looks like one (also when a character is missing) is taken for an
 * order number only when a person says so.
 */
const WAYS = [
  ["an address", /@/, ["email"]],
  ["a license", /^LIC-[A-Z2-7]+$/i, ["license"]],
  ["a payment", /^([a-z]+:.+|(cs|pi|ch|py|in|tr|sub|ord)_\w+)$/, ["payment"]],
  ["an order number", /^([A-Za-z]{1,3}[._-])?((19|20)\d\d[._-])?\d{1,10}$/, ["order", "payment"]],
  ["a code in groups", /^[A-Za-z0-9]{3,12}([\s-]+[A-Za-z0-9]{3,12}){3,}$/, ["code", "payment"]],
  ["a code in one run", /^[A-Za-z0-9]{14,}$/, ["code", "payment"]],
  ["an unusual number or code", ORDER, ["code", "payment", "order"]],
  ["anything", /^/, ["code", "payment"]],
];

export const ways = (text) => WAYS.find(([, pattern]) => pattern.test(text))[2];

export const mayBeNumber = (text) => ORDER.test(text);

/** `{order}` with its whole story, or `{orders, total}`, of which there may be none. */
export async function find(text, among = ways(text)) {
  for (const way of among) {
    const found = await (way === "order" ? byNumber(text) : search({ [way]: text }));
    if (found) return found;
  }
  return { orders: [], total: 0 };
}

async function byNumber(text) {
  try {
    return { order: await load(text) };
  } catch (problem) {
    if (problem.status === 404) return null;
    throw problem;
  }
}

async function search(wish) {
  const { orders, total } = await call("POST", "orders/search", { body: wish });
  if (total === 1) return { order: await load(orders[0].order_id) };
  return total > 0 ? { orders, total } : null;
}

export const load = (orderId) => call("GET", `orders/${encodeURIComponent(orderId)}`);
