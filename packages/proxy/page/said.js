// What a screen reader is told when something has been done.
import { byId } from './dom.js';

/** @param {string} text */
export function announce(text) {
  byId('said').textContent = text;
}
