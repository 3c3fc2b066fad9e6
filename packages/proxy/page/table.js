// Tables: a caption, heads in one or two rows, and rows that are written in place. On a phone each row is a card, so every
// cell carries its label; the roles keep it a table for screen readers, which `display: block` would take away.
import { h, textOf } from './dom.js';
import { meaningOf } from './words.js';

/**
 * @template Item
 * @typedef {object} Column
 * @property {string} label as it stands alone, on cards and where there is no group
 * @property {string} [group] `Sessions`: neighbours of one group share a head
 * @property {string} [short] below the group's head
 * @property {string} look class of the column; `extra` is left out where there is no room
 * @property {(item: Item) => string} [read] the text; without, whoever makes the row fills the cell
 */

/**
 * @template Item
 * @param {string} caption
 * @param {readonly Column<Item>[]} columns
 */
export function makeTable(caption, columns) {
  const heads = columns.map(({ label, short, look }) => {
    const text =
      short === undefined ? [label] : [h('span', { class: 'alone' }, label), h('span', { class: 'grouped' }, short)];
    const meaning = meaningOf(label);
    const title = meaning === '' ? {} : { title: meaning };
    return h('th', { role: 'columnheader', scope: 'col', class: look, ...title }, ...text);
  });
  return h(
    'table',
    { role: 'table' },
    h('caption', { class: 'unseen' }, caption),
    h('colgroup', {}, ...columns.map(({ look }) => h('col', { class: look }))),
    h('thead', { role: 'rowgroup' }, groupRow(columns), h('tr', { role: 'row' }, ...heads)),
  );
}

/** Names of groups are for the eye; a reader hears the labels. @param {readonly Column<any>[]} columns */
function groupRow(columns) {
  const row = h('tr', { class: 'groups', 'aria-hidden': 'true' });
  for (let at = 0; at < columns.length; ) {
    const group = columns[at]?.group;
    let span = 1;
    while (group !== undefined && columns[at + span]?.group === group) span += 1;
    row.append(h('td', { colspan: String(span), class: group === undefined ? '' : 'group' }, group ?? ''));
    at += span;
  }
  return row;
}

/**
 * A row's cells, and the function that writes those with a `read`. The first one is the row's head.
 * @template Item
 * @param {readonly Column<Item>[]} columns
 */
export function makeRow(columns) {
  /** @type {((item: Item) => void)[]} */
  const writers = [];
  const cells = columns.map(({ label, look, read }, at) => {
    const cell =
      at === 0
        ? h('th', { role: 'rowheader', scope: 'row', class: look })
        : h('td', { role: 'cell', class: look, 'data-label': label });
    if (read !== undefined) {
      const write = textOf(cell);
      writers.push(item => write(read(item)));
    }
    return cell;
  });
  const row = h('tr', { role: 'row' }, ...cells);
  const update = (/** @type {Item} */ item) => {
    for (const write of writers) write(item);
  };
  return { row, cells, update };
}
