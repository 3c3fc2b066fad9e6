// One plot over time as SVG: lines or stacked bands, with axes, a legend, a cursor for pointer and keys, and a table.
import { h, svg, textOf } from './dom.js';
import { alone, axisMs, linearTicks, logTicks, placeOn, timeTicks } from './scale.js';
import { fraction, minute } from './text.js';

/**
 * @typedef {{ readonly name: string, readonly values: readonly (number | null)[] }} Series
 * @typedef {object} Shape
 * @property {string} title
 * @property {string} unit behind the title
 * @property {'lines' | 'bands'} kind
 * @property {boolean} [log]
 * @property {(value: number) => string} write
 * @property {(value: number) => string} [axis] how ticks are written, where shorter than values
 */

const height = 168;
const margin = { top: 8, right: 8, bottom: 22, left: 46 };
const tableEvery = 30;
const lowestOfLog = 0.5;

export class Plot {
  node;
  #shape;
  #kind;
  #svg = svg('svg', { height, 'aria-hidden': 'true', focusable: 'false' });
  #legend = h('ul', { class: 'legend' });
  #area = h('div', { class: 'area', tabindex: '0', role: 'slider' });
  #cursor = svg('line', { class: 'cursor', y1: margin.top, y2: height - margin.bottom, visibility: 'hidden' });
  #moment = h('span', { class: 'moment' });
  #writeMoment = textOf(this.#moment);
  #writeValues = /** @type {((text: string) => void)[]} */ ([]);
  #table = h('details', { class: 'values' }, h('summary', {}, 'As a table'));
  #atMs = /** @type {readonly number[]} */ ([]);
  #series = /** @type {readonly Series[]} */ ([]);
  #at = /** @type {number | null} */ (null);
  #width = 0;

  /** @param {Shape} shape */
  constructor(shape) {
    this.#shape = shape;
    this.#kind = shape.kind;
    this.#area.append(this.#svg);
    this.#area.setAttribute('aria-label', `${shape.title}, ${shape.unit}: moment`);
    const head = h(
      'figcaption',
      {},
      h('b', {}, shape.title),
      ' ',
      h('span', { class: 'unit' }, shape.unit),
      this.#moment,
    );
    this.node = h('figure', { class: 'plot' }, head, this.#area, this.#legend, this.#table);
    new ResizeObserver(() => this.#draw()).observe(this.#area);
    this.#area.addEventListener('pointermove', event => this.#pointAt(event.offsetX));
    this.#area.addEventListener('pointerleave', () => this.#moveTo(null));
    this.#area.addEventListener('blur', () => this.#moveTo(null));
    this.#area.addEventListener('focus', () => this.#moveTo(this.#at ?? this.#atMs.length - 1));
    this.#area.addEventListener('keydown', event => this.#onKey(event));
    this.#table.addEventListener('toggle', () => this.#fillTable());
  }

  /** @param {readonly number[]} atMs @param {readonly Series[]} series @param {'lines' | 'bands'} [kind] another one than before */
  update(atMs, series, kind = this.#kind) {
    this.#kind = kind;
    this.#atMs = atMs;
    this.#series = series;
    const values = series.map(() => h('b'));
    this.#writeValues = values.map(textOf);
    const items = series.map(({ name }, at) => h('li', {}, swatch(this.#kind, at), name, values[at] ?? ''));
    this.#legend.replaceChildren(...items);
    this.#draw();
    this.#fillTable();
  }

  #draw() {
    this.#width = this.#area.clientWidth;
    if (this.#width === 0) return;
    this.#svg.setAttribute('width', String(this.#width));
    const { x, y, ticks } = this.#scales();
    /** @type {SVGElement[]} */
    const parts = [...this.#axes(x, y, ticks)];
    if (this.#atMs.length < 2)
      parts.push(svg('text', { class: 'none', x: this.#width / 2, y: height / 2 }, 'Samples come every 10 s'));
    else parts.push(...(this.#kind === 'lines' ? this.#lines(x, y) : this.#bands(x, y)));
    this.#svg.replaceChildren(...parts, this.#cursor);
    this.#moveTo(this.#at);
  }

  #scales() {
    const { log = false } = this.#shape;
    const values =
      this.#kind === 'bands' ? sums(this.#series, this.#atMs.length) : this.#series.flatMap(one => one.values);
    const known = values.filter(value => value !== null);
    const high = known.reduce((most, value) => Math.max(most, value), 0);
    const low = known.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
    const ticks = log ? logTicks(Math.max(lowestOfLog, Math.min(low, 1)), Math.max(high, 10)) : linearTicks(high, 4);
    const place = placeOn(ticks, log);
    const { fromMs, spanMs } = this.#span();
    const wide = Math.max(1, this.#width - margin.left - margin.right);
    const tall = height - margin.top - margin.bottom;
    return {
      x: (/** @type {number} */ atMs) => margin.left + ((atMs - fromMs) / spanMs) * wide,
      y: (/** @type {number} */ value) => margin.top + (1 - place(value)) * tall,
      ticks,
    };
  }

  /** What the axis of time holds. It ends with the newest sample. */
  #span() {
    const toMs = this.#atMs.at(-1) ?? 0;
    const spanMs = axisMs(this.#atMs[0] ?? 0, toMs);
    return { fromMs: toMs - spanMs, toMs, spanMs };
  }

  /**
   * @param {(atMs: number) => number} x
   * @param {(value: number) => number} y
   * @param {readonly number[]} ticks
   */
  *#axes(x, y, ticks) {
    const write = this.#tickText(ticks);
    for (const tick of ticks) {
      const at = Math.round(y(tick)) + 0.5;
      yield svg('line', { class: 'grid', x1: margin.left, x2: this.#width - margin.right, y1: at, y2: at });
      yield svg('text', { class: 'tick y', x: margin.left - 6, y: at + 4 }, write(tick));
    }
    if (this.#atMs.length === 0) return;
    const { fromMs, toMs } = this.#span();
    const most = Math.max(2, Math.floor(this.#width / 70));
    for (const tick of timeTicks(fromMs, toMs, most, -new Date(toMs).getTimezoneOffset() * 60_000)) {
      const at = x(tick);
      if (at < margin.left + 14 || at > this.#width - 16) continue;
      yield svg('line', { class: 'mark', x1: at, x2: at, y1: height - margin.bottom, y2: height - margin.bottom + 4 });
      yield svg('text', { class: 'tick x', x: at, y: height - 5 }, minute(tick));
    }
  }

  /** Two ticks never look alike. @param {readonly number[]} ticks @returns {(value: number) => string} */
  #tickText(ticks) {
    const { log = false, write, axis = write } = this.#shape;
    const step = (ticks[1] ?? 1) - (ticks[0] ?? 0);
    return log || step >= 1 ? axis : value => fraction(value, step);
  }

  /** @param {(atMs: number) => number} x @param {(value: number) => number} y */
  #lines(x, y) {
    return this.#series.flatMap(({ values }, at) => {
      let path = '';
      let pen = 'M';
      for (const [index, value] of values.entries()) {
        const atMs = this.#atMs[index];
        if (value === null || atMs === undefined) pen = 'M';
        else {
          path += `${pen}${x(atMs).toFixed(1)} ${y(value).toFixed(1)}`;
          pen = 'L';
        }
      }
      const points = alone(values).map(index =>
        svg('circle', { class: `point s${at}`, cx: x(this.#atMs[index] ?? 0), cy: y(values[index] ?? 0), r: 2 }),
      );
      return [svg('path', { class: `line s${at}`, d: path }), ...points];
    });
  }

  /** @param {(atMs: number) => number} x @param {(value: number) => number} y */
  #bands(x, y) {
    const floor = this.#atMs.map(() => 0);
    return this.#series.map(({ values }, at) => {
      const bottom = floor
        .map((value, index) => `L${x(this.#atMs[index] ?? 0).toFixed(1)} ${y(value).toFixed(1)}`)
        .reverse();
      for (const index of floor.keys()) floor[index] = (floor[index] ?? 0) + (values[index] ?? 0);
      const top = floor.map(
        (value, index) => `${index === 0 ? 'M' : 'L'}${x(this.#atMs[index] ?? 0).toFixed(1)} ${y(value).toFixed(1)}`,
      );
      return svg('path', { class: `band s${at}`, d: `${top.join('')}${bottom.join('')}Z` });
    });
  }

  /** @param {number} px */
  #pointAt(px) {
    const wide = Math.max(1, this.#width - margin.left - margin.right);
    const { fromMs, spanMs } = this.#span();
    const wanted = fromMs + ((px - margin.left) / wide) * spanMs;
    const nearest = this.#atMs.reduce(
      (best, atMs, at) => (Math.abs(atMs - wanted) < Math.abs((this.#atMs[best] ?? 0) - wanted) ? at : best),
      0,
    );
    this.#moveTo(nearest);
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    const last = this.#atMs.length - 1;
    const now = this.#at ?? last;
    /** @type {Record<string, number>} */
    const moves = {
      ArrowLeft: now - 1,
      ArrowDown: now - 1,
      ArrowRight: now + 1,
      ArrowUp: now + 1,
      PageUp: now + 30,
      PageDown: now - 30,
      Home: 0,
      End: last,
    };
    const to = moves[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.#moveTo(Math.min(last, Math.max(0, to)));
  }

  /** @param {number | null} at */
  #moveTo(at) {
    const last = this.#atMs.length - 1;
    this.#at = at === null || last < 0 ? null : Math.min(at, last);
    const shown = this.#at ?? last;
    this.#cursor.setAttribute('visibility', this.#at === null ? 'hidden' : 'visible');
    if (this.#at !== null) {
      const x = this.#scales().x(this.#atMs[this.#at] ?? 0);
      this.#cursor.setAttribute('x1', x.toFixed(1));
      this.#cursor.setAttribute('x2', x.toFixed(1));
    }
    const { write } = this.#shape;
    const texts = this.#series.map(({ values }) => valueText(values[shown] ?? null, write));
    for (const [index, text] of texts.entries()) this.#writeValues[index]?.(text);
    const time = last < 0 ? 'no samples' : minute(this.#atMs[shown] ?? 0);
    this.#writeMoment(this.#at === null && last >= 0 ? 'now' : time);
    const text = [time, ...this.#series.map(({ name }, index) => `${name} ${texts[index]}`)].join(', ');
    this.#area.setAttribute('aria-valuemin', '0');
    this.#area.setAttribute('aria-valuemax', String(Math.max(0, last)));
    this.#area.setAttribute('aria-valuenow', String(Math.max(0, shown)));
    this.#area.setAttribute('aria-valuetext', text);
  }

  /** Every fifth minute, made when somebody opens it. */
  #fillTable() {
    if (!this.#table.open) return;
    const { title, unit, write } = this.#shape;
    const heads = ['Time', ...this.#series.map(({ name }) => name)].map(text => h('th', { scope: 'col' }, text));
    const rows = [];
    for (let at = this.#atMs.length - 1; at >= 0; at -= tableEvery) {
      const cells = this.#series.map(({ values }) => h('td', {}, valueText(values[at] ?? null, write)));
      rows.push(h('tr', {}, h('th', { scope: 'row' }, minute(this.#atMs[at] ?? 0)), ...cells));
    }
    const caption = h('caption', { class: 'unseen' }, `${title}, ${unit}`);
    const table = h('table', {}, caption, h('thead', {}, h('tr', {}, ...heads)), h('tbody', {}, ...rows));
    const scroll = h(
      'div',
      { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': `${title} as a table` },
      table,
    );
    this.#table.replaceChildren(...[...this.#table.children].slice(0, 1), scroll);
  }
}

/** @param {number | null} value @param {(value: number) => string} write */
function valueText(value, write) {
  return value === null ? '–' : write(value);
}

/** @param {readonly Series[]} series @param {number} length */
function sums(series, length) {
  return Array.from({ length }, (_, at) => series.reduce((sum, { values }) => sum + (values[at] ?? 0), 0));
}

/** The legend's sample: a line with its dashes, or a square. @param {'lines' | 'bands'} kind @param {number} at */
function swatch(kind, at) {
  const sample =
    kind === 'lines'
      ? svg('path', { class: `line s${at}`, d: 'M0 6H22' })
      : svg('rect', { class: `band s${at}`, x: 4, y: 0.5, width: 12, height: 11 });
  return svg('svg', { class: 'swatch', width: kind === 'lines' ? 22 : 18, height: 12, 'aria-hidden': 'true' }, sample);
}
