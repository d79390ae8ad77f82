/** How a stock runs down, as a line. The table beside it says the same in numbers. */
import { svg } from "./dom.js";
import { day, number, t } from "./words.js";

const WIDTH = 360;
const HEIGHT = 170;
const LEFT = 56;
const RIGHT = 10;
const TOP = 22;
const BOTTOM = 26;

let charts = 0;

/** `course` is how many codes are free on each day from the first on; `runsOut` the day on which none is left. */
export function chart({ name, course, runsOut }) {
  const id = `chart-${(charts += 1)}`;
  const days = course.map((point) => point.day);
  const top = Math.max(...course.map((point) => point.free), 1);
  const x = (n) => LEFT + (n / Math.max(days.length - 1, 1)) * (WIDTH - LEFT - RIGHT);
  const y = (free) => TOP + (1 - Math.max(free, 0) / top) * (HEIGHT - TOP - BOTTOM);
  const line = course.map(({ free }, n) => `${x(n).toFixed(1)},${y(free).toFixed(1)}`);
  const end = days.indexOf(runsOut);
  const short = (iso) => day(iso, { day: "numeric", month: "short" });
  return svg("svg", { class: "chart", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-labelledby": `${id}-title ${id}-desc` },
    svg("title", { id: `${id}-title` }, t("chartTitle", { name })),
    svg("desc", { id: `${id}-desc` }, t(runsOut ? "chartRunsOut" : "chartLasts",
      { now: number(course[0].free), last: number(Math.max(course.at(-1).free, 0)), until: day(days.at(-1)), day: runsOut && day(runsOut) })),
    [0, 0.5, 1].map((part) => [
      svg("line", { class: "rule", x1: LEFT, x2: WIDTH - RIGHT, y1: y(top * part), y2: y(top * part) }),
      (part !== 0.5 || top > 3) && svg("text", { x: LEFT - 8, y: y(top * part) + 4, "text-anchor": "end" }, number(Math.round(top * part))),
    ]),
    svg("polygon", { class: "area", points: [`${x(0)},${y(0)}`, ...line, `${x(days.length - 1)},${y(0)}`].join(" ") }),
    svg("line", { class: "axis", x1: LEFT, x2: WIDTH - RIGHT, y1: y(0), y2: y(0) }),
    svg("polyline", { class: "curve", points: line.join(" ") }),
    end >= 0 && [
      svg("line", { class: "end", x1: x(end), x2: x(end), y1: TOP - 4, y2: y(0) }),
      svg("text", { class: "mark", x: x(end), y: TOP - 10, "text-anchor": anchor(end / days.length) }, t("empty", { day: short(runsOut) })),
    ],
    svg("text", { x: LEFT, y: HEIGHT - 8 }, t("today")),
    svg("text", { x: WIDTH - RIGHT, y: HEIGHT - 8, "text-anchor": "end" }, short(days.at(-1))));
}

const anchor = (part) => (part < 0.3 ? "start" : part > 0.7 ? "end" : "middle");
