/** What the page shows has an address behind the `#`, which no server sees. Only an order's number ever stands in one. */

const VIEWS = ["search", "due", "stock", "inbox", "mails"];
const NUMBER = /^[A-Za-z0-9._-]{1,80}$/;

/** `#/orders/2026-001234` and the like, as `{view, order, reason}`; what is no address of the page is that of the worklist. */
export function read(hash) {
  const [, view, name] = hash.replace(/^#/, "").split("/").map(decoded);
  if (view === "orders" && NUMBER.test(name ?? "")) return { view: "order", order: name };
  if (view === "waiting" && /^[a-z_]+$/.test(name ?? "")) return { view: "worklist", reason: name };
  return { view: VIEWS.includes(view) ? view : "worklist" };
}

export const ofOrder = (number) => `#/orders/${encodeURIComponent(number)}`;
export const ofReason = (reason) => `#/waiting/${reason}`;

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return "";
  }
}
