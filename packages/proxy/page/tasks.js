// Drains and rebalances: how far they are, and how to pause, resume and take them back.
import { call } from './api.js';
import { attributeOf, button, byId, h, keyed, partOf, textOf } from './dom.js';
import { announce } from './said.js';
import { count, duration, many, moment, visible } from './text.js';

/** @import { PageView, TaskView } from '../src/admin/page/page_view.ts' */

/** @param {TaskView} task */
function nameOf({ kind, backend, server }) {
  return kind === 'drain' ? `Drain ${backend}/${server}` : `Rebalance ${backend}`;
}

/** @param {TaskView} task @param {number} nowMs */
function progress({ state, rate, total, moved, left, endedAtMs }, nowMs) {
  const so = `${count(moved)} of ${many(total, 'session')} asked to leave`;
  if (endedAtMs !== null)
    return `${state === 'done' ? 'Done' : 'Taken back'} at ${moment(endedAtMs, nowMs)} · ${so} · ${count(left)} left`;
  if (rate <= 0) return so;
  const rest = state === 'paused' ? 'paused' : `${count(rate)} a second · about ${duration((left / rate) * 1000)} more`;
  return `${so} · ${count(left)} left · ${rest}`;
}

class Task {
  node;
  #mayOperate;
  #task;
  #bar = h('span', { class: 'bar', role: 'progressbar', 'aria-valuemin': '0', 'aria-valuemax': '100' });
  #text = h('span', { class: 'progress' });
  #buttons = h('span', { class: 'buttons' });
  #failed = h('span', { class: 'failed', role: 'alert' });
  #writeText = textOf(this.#text);
  #writeLength = partOf(this.#bar, '--part');
  #writeNow = attributeOf(this.#bar, 'aria-valuenow');
  #offered = '';

  /** @param {TaskView} task @param {() => boolean} mayOperate */
  constructor(task, mayOperate) {
    this.#task = task;
    this.#mayOperate = mayOperate;
    this.#bar.setAttribute('aria-label', nameOf(task));
    const words = h('span', { class: 'words' }, h('b', {}, nameOf(task)), this.#text);
    this.node = h('li', {}, words, this.#bar, this.#buttons, this.#failed);
  }

  /** @param {readonly [TaskView, number]} now */
  update([task, nowMs]) {
    this.#task = task;
    const part = task.total === 0 ? 1 : Math.min(1, Math.max(0, 1 - task.left / task.total));
    this.node.dataset.state = task.state;
    this.#writeText(progress(task, nowMs));
    this.#writeLength(task.state === 'done' ? 1 : part);
    this.#writeNow(String(Math.round(part * 100)));
    this.#offer(this.#mayOperate() && task.endedAtMs === null ? task.state : '');
  }

  /** @param {string} state */
  #offer(state) {
    if (state === this.#offered) return;
    this.#offered = state;
    const hadFocus = this.#buttons.contains(document.activeElement);
    if (state === '') this.#buttons.replaceChildren();
    else this.#buttons.replaceChildren(this.#pauser(state), this.#taker());
    if (hadFocus) this.#buttons.querySelector('button')?.focus();
  }

  /** @param {string} state */
  #pauser(state) {
    const word = state === 'paused' ? 'resume' : 'pause';
    const label = word === 'pause' ? 'Pause' : 'Resume';
    return button(label, () => this.#order(word), { class: 'small', 'aria-label': `${label}: ${nameOf(this.#task)}` });
  }

  /** Asks once more, in its own place. */
  #taker() {
    const taker = button('Take back', () => {
      const sure = button('Yes, take back', () => this.#order('cancel'), { class: 'small go' });
      const no = button('No', () => {
        this.#buttons.replaceChildren(this.#pauser(this.#offered), this.#taker());
        this.#buttons.querySelector('button')?.focus();
      });
      no.className = 'small';
      this.#buttons.replaceChildren(sure, no);
      sure.focus();
    });
    taker.className = 'small';
    taker.setAttribute('aria-label', `Take back: ${nameOf(this.#task)}`);
    return taker;
  }

  /** @param {'pause' | 'resume' | 'cancel'} word */
  async #order(word) {
    this.#failed.textContent = '';
    try {
      await call('POST', `tasks/${this.#task.id}/${word}`);
      const became = { pause: 'is paused', resume: 'goes on', cancel: 'is taken back' }[word];
      announce(`${nameOf(this.#task)} ${became}.`);
    } catch (error) {
      this.#failed.textContent = visible(/** @type {Error} */ (error).message);
    }
  }
}

/** @returns {(view: PageView) => void} */
export function makeTasks() {
  const section = byId('tasks-section');
  let mayOperate = false;
  const update = keyed(
    byId('tasks'),
    (/** @type {readonly [TaskView, number]} */ [{ id }]) => String(id),
    ([task]) => new Task(task, () => mayOperate),
  );
  return view => {
    mayOperate = view.level !== 'user';
    section.hidden = view.tasks.length === 0;
    update([...view.tasks].sort((a, b) => b.id - a.id).map(task => /** @type {const} */ ([task, view.atMs])));
  };
}
