// States are told by a word and a sign; the colour only repeats them.
import { attributeOf, h, svg, textOf } from './dom.js';

/** @import { Tone } from '../src/admin/page/page_view.ts' */

/** @type {Readonly<Record<Tone, string>>} paths in a square of 12 */
const shapes = {
  up: 'M6 1a5 5 0 1 1 0 10A5 5 0 0 1 6 1z',
  warn: 'M6 1 11.5 11H.5z',
  down: 'M2.5 1 6 4.5 9.5 1 11 2.5 7.5 6 11 9.5 9.5 11 6 7.5 2.5 11 1 9.5 4.5 6 1 2.5z',
  drain: 'M6 1a5 5 0 1 1 0 10zM6 1v1.5a3.5 3.5 0 0 0 0 7V11A5 5 0 0 1 6 1z',
  maint: 'M1.5 1.5h9v9h-9z',
  none: 'M6 1a5 5 0 1 1 0 10A5 5 0 0 1 6 1zm0 1.6a3.4 3.4 0 1 0 0 6.8 3.4 3.4 0 0 0 0-6.8z',
};

/** A sign and a word. */
export function makeState() {
  const shape = svg('path', { 'fill-rule': 'evenodd' });
  const sign = svg('svg', { class: 'sign', viewBox: '0 0 12 12', width: 12, height: 12, 'aria-hidden': 'true' }, shape);
  const word = h('span', {});
  const node = h('span', { class: 'state' }, sign, word);
  const writeShape = attributeOf(shape, 'd');
  const writeTone = attributeOf(node, 'data-tone');
  const writeWord = textOf(word);
  return {
    node,
    update(/** @type {Tone} */ tone, /** @type {string} */ text) {
      writeTone(tone);
      writeShape(shapes[tone]);
      writeWord(text);
    },
  };
}
