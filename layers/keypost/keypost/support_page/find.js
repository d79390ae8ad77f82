/** What a person pasted, and the orders it belongs to. */
import { call } from "./api.js";

const ORDER = /^(?!\.+$)[A-Za-z0-9._-]{1,80}$/;
const LICENSE = /^LIC-[A-Z2-7]+$/i;
const PAYMENT = /^([a-z]+:.+|(cs|pi|ch|py|in|tr|sub|ord)_\w+)$/;

/** How to look for it, in order: only an order number is asked for in a URL, which ends in access logs. */
export function ways(text) {
  if (text.includes("@")) return ["email"];
  if (LICENSE.test(text)) return ["license"];
  if (isLikeCode(text)) return ["code"];
  if (PAYMENT.test(text)) return ["payment"];
  return ORDER.test(text) ? ["order", "payment"] : ["payment"];
}

/** Four groups of letters and digits or more, or a long run of both; also when one character is missing. */
function isLikeCode(text) {
  const groups = text.split(/[\s-]+/);
  if (groups.length > 3) return groups.every((group) => /^[A-Za-z0-9]{3,7}$/.test(group));
  return /^(?=.*[A-Za-z])(?=.*\d)[A-Za-z0-9]{14,31}$/.test(text);
}

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
