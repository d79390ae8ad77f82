/**
 * Who is signed in, and what this browser remembers of them: nothing that outlives its tabs. The key or token stands in the
 * storage of each tab. A tab that opens asks the others for it, so that an agent signs in once; signing out ends it in all.
 */
const KEY = "keypost-support-key";
const REMEMBERED = "keypost-remembered-";
const OTHERS_ANSWER_MS = 250;

const tabs = new BroadcastChannel("keypost-support");

export const key = {
  get: () => sessionStorage.getItem(KEY),
  keep(value) {
    sessionStorage.setItem(KEY, value);
    tabs.postMessage({ key: value });
  },
  forget: () => sessionStorage.removeItem(KEY),
};

/** The key of another tab of this browser, if one is signed in. */
export function borrowed() {
  return new Promise((resolve) => {
    const late = setTimeout(resolve, OTHERS_ANSWER_MS);
    document.addEventListener("signed-in", () => { clearTimeout(late); resolve(); }, { once: true });
    tabs.postMessage({ asks: true });
  });
}

export function signOutEverywhere() {
  tabs.postMessage({ signedOut: true });
}

tabs.onmessage = ({ data }) => {
  if (data.asks && key.get()) tabs.postMessage({ key: key.get() });
  if (data.signedOut) document.dispatchEvent(new Event("signed-out"));
  if (!data.key || key.get()) return;
  sessionStorage.setItem(KEY, data.key);
  document.dispatchEvent(new Event("signed-in"));
};

/** What stays when the page is loaded again, until the agent signs out: what was searched for, typed, and is to be read. */
export const remembered = {
  get: (name) => JSON.parse(sessionStorage.getItem(REMEMBERED + name)),
  keep: (name, value) => sessionStorage.setItem(REMEMBERED + name, JSON.stringify(value)),
  forget: (name) => sessionStorage.removeItem(REMEMBERED + name),
  take(name) {
    const value = this.get(name);
    this.forget(name);
    return value;
  },
  forgetAll() {
    for (const name of Object.keys(sessionStorage)) if (name.startsWith(REMEMBERED)) sessionStorage.removeItem(name);
  },
};
