// Charts as SVG: stacked columns and lines over time. What is under the pointer, or chosen by the arrow keys, is in the legend; the
// same figures are in a table.

import { announce, text } from "./page.js";

const names = "http://www.w3.org/2000/svg";
/** For letters of the usual size. At the end there is room for half of the last mark, which stands under the newest step. */
const margin = { top: 8, right: 32, bottom: 26, left: 44 };
/** From the middle of one mark to the next at least: a time with “p.m.” and a gap that tells two apart. */
const markDistanceMin = 84;
/** How much larger than usual this browser's letters are. */
const scale = () => parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;

/** Draws into a <figure class="chart"> with <svg>, `[data-legend]` and a <table>. */
export class Chart {
  #figure;
  #svg;
  #draw;
  #data = null;
  #at = null;

  /** `kind`: "columns" (stacked) or "lines". */
  constructor(figure, kind) {
    this.#figure = figure;
    this.#svg = figure.querySelector("svg");
    this.#draw = kind === "columns" ? columns : lines;
    new ResizeObserver(() => this.#render()).observe(this.#svg);
    this.#svg.addEventListener("pointermove", (event) => this.#point(this.#indexAt(event.clientX)));
    this.#svg.addEventListener("pointerleave", () => this.#point(null));
    this.#svg.addEventListener("blur", () => this.#point(null));
    this.#svg.addEventListener("keydown", (event) => this.#step(event));
  }

  /** `steps`: `{label, mark}`, in full and for the axis. `series`: `{name, tone, values, total}`, null for no value. `format(value)`
   *  writes a value, `axis(value)` one at the axis, which reaches at least to `least`; `summary` says the whole in a sentence, `none`
   *  that there is nothing to see. */
  show(data) {
    this.#data = data;
    if (this.#at !== null && this.#at >= data.steps.length) this.#at = null;
    this.#svg.setAttribute("aria-label", data.summary);
    this.#render();
    this.#table();
  }

  get #isEmpty() {
    return this.#data.series.every(({ values }) => values.every((value) => !value));
  }

  #render() {
    if (!this.#data) return;
    const { width, height } = this.#svg.getBoundingClientRect();
    if (width === 0) return;
    const times = scale();
    const [left, right, bottom] = [margin.left * times, margin.right * times, margin.bottom * times];
    const area = { left, top: margin.top, width: width - left - right, height: height - margin.top - bottom, scale: times };
    const top = roundedUp(Math.max(this.#draw.highest(this.#data), this.#data.least ?? 0));
    this.#svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.#svg.replaceChildren(...axes(this.#data, area, top), ...(this.#isEmpty ? [words(this.#data, area)] : this.#draw.shapes(this.#data, area, top)));
    if (this.#at !== null) this.#svg.append(pointer(this.#data, area, this.#at));
    this.#legend();
  }

  #indexAt(x) {
    if (!this.#data) return null;
    const box = this.#svg.getBoundingClientRect();
    const [left, right] = [margin.left * scale(), margin.right * scale()];
    const share = (x - box.left - left) / (box.width - left - right);
    return share < 0 || share >= 1 ? null : Math.floor(share * this.#data.steps.length);
  }

  #point(index) {
    if (index === this.#at || !this.#data) return;
    this.#at = index;
    this.#render();
  }

  #step(event) {
    const last = (this.#data?.steps.length ?? 0) - 1;
    const next = { ArrowLeft: (this.#at ?? last + 1) - 1, ArrowRight: (this.#at ?? -1) + 1, Home: 0, End: last }[event.key];
    if (next === undefined || last < 0) return;
    event.preventDefault();
    this.#point(Math.max(0, Math.min(last, next)));
    announce([...this.#figure.querySelectorAll("[data-legend] li")].map((item) => item.textContent).join(", "));
  }

  #legend() {
    const { steps, series, format } = this.#data;
    const items = series.map(({ name, tone, values, total }) => {
      const item = document.createElement("li");
      const swatch = document.createElement("i");
      swatch.className = tone;
      const value = document.createElement("strong");
      const shown = this.#at === null ? total : values[this.#at];
      value.textContent = shown === null || shown === undefined ? "–" : format(shown);
      item.append(swatch, `${name} `, value);
      return item;
    });
    if (this.#at !== null) {
      const when = document.createElement("li");
      when.textContent = steps[this.#at].label;
      items.unshift(when);
    }
    this.#figure.querySelector("[data-legend]").replaceChildren(...items);
  }

  #table() {
    const { steps, series, format } = this.#data;
    const table = this.#figure.querySelector("table");
    const head = row("th", [text("adminSays.time"), ...series.map((one) => one.name)]);
    const rows = steps.map((step, index) => ({ step, values: series.map((one) => one.values[index]) }))
      .filter(({ values }) => values.some((value) => value))
      .map(({ step, values }) => row("td", [step.label, ...values.map((value) => (value === null ? "–" : format(value)))]));
    table.closest("details").hidden = this.#isEmpty;
    table.tHead.replaceChildren(head);
    table.tBodies[0].replaceChildren(...rows);
  }
}

function row(kind, words) {
  const element = document.createElement("tr");
  element.append(...words.map((word, index) => {
    const cell = document.createElement(index === 0 ? "th" : kind);
    cell.scope = kind === "th" ? "col" : index === 0 ? "row" : "";
    if (index > 0) cell.className = "end";
    cell.textContent = word;
    return cell;
  }));
  return element;
}

function shape(name, attributes, words) {
  const element = document.createElementNS(names, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  if (words !== undefined) element.textContent = words;
  return element;
}

/** The end of an axis whose middle is worth a mark, too: even but for 1. */
function roundedUp(value) {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 4, 6, 8, 10].map((factor) => factor * power).find((end) => end >= value * 0.999);
}

function axes({ steps, axis }, area, top) {
  const shapes = [];
  for (const share of [0, 0.5, 1]) {
    const y = Math.round(area.top + area.height * (1 - share)) + 0.5;
    shapes.push(shape("line", { class: "rule", x1: area.left, x2: area.left + area.width, y1: y, y2: y }));
    shapes.push(shape("text", { class: "mark", x: area.left - 8, y: y + 4 * area.scale, "text-anchor": "end" }, axis(top * share)));
  }
  const room = Math.max(1, Math.floor(area.width / (markDistanceMin * area.scale)));
  const every = Math.ceil(steps.length / room);
  // From the newest step back, each under the middle of its own.
  for (let index = steps.length - 1; index >= 0; index -= every) {
    const x = area.left + area.width * ((index + 0.5) / steps.length);
    shapes.push(shape("text", { class: "mark", x, y: area.top + area.height + 20 * area.scale, "text-anchor": "middle" }, steps[index].mark));
  }
  return shapes;
}

function words({ none }, area) {
  return shape("text", { class: "none", x: area.left + area.width / 2, y: area.top + area.height / 2 - 12 }, none);
}

function pointer({ steps }, area, index) {
  const width = area.width / steps.length;
  return shape("rect", { class: "pointer", x: area.left + width * index, y: area.top, width, height: area.height });
}

const columns = {
  highest: ({ steps, series }) => Math.max(...steps.map((_, index) => series.reduce((sum, one) => sum + one.values[index], 0))),

  shapes({ steps, series }, area, top) {
    const slot = area.width / steps.length;
    const width = Math.max(1, Math.min(28, slot * 0.72));
    return steps.flatMap((_, index) => {
      let below = 0;
      return series.filter((one) => one.values[index] > 0).map((one) => {
        const height = (one.values[index] / top) * area.height;
        below += height;
        // A hair of space between two parts tells them apart without their colours.
        const seen = Math.max(1, height - 1);
        return shape("rect", {
          class: `column ${one.tone}`, x: area.left + slot * (index + 0.5) - width / 2, y: area.top + area.height - below,
          width, height: seen, rx: Math.min(2, seen / 2),
        });
      });
    });
  },
};

const lines = {
  highest: ({ series }) => Math.max(0, ...series.flatMap((one) => one.values.map((value) => value ?? 0))),

  shapes({ steps, series }, area, top) {
    const at = (index, value) => [area.left + area.width * ((index + 0.5) / steps.length), area.top + area.height * (1 - value / top)];
    return series.flatMap(({ values, tone, dashes }) => {
      let path = "";
      const dots = [];
      values.forEach((value, index) => {
        if (value === null) return;
        const [x, y] = at(index, value);
        const isAlone = (values[index - 1] ?? null) === null && (values[index + 1] ?? null) === null;
        path += `${(values[index - 1] ?? null) === null ? "M" : "L"}${x.toFixed(1)} ${y.toFixed(1)}`;
        if (isAlone || steps.length <= 31) dots.push(shape("circle", { class: `dot ${tone}`, cx: x, cy: y, r: 3 }));
      });
      const line = shape("path", { class: `line ${tone}`, d: path || "M0 0" });
      if (dashes) line.setAttribute("stroke-dasharray", dashes);
      return [line, ...dots];
    });
  },
};
