import type { VipLease } from '@limpet/state';
import type { Link } from '../beat/link.ts';
import type { VipConfig } from '../config/config.ts';
import type { AddressBook } from '../host/address.ts';
import type { Announcer } from '../host/announcer.ts';
import { type HookRunner, hookFor } from '../host/hooks.ts';
import { tellFifo } from '../host/notify_fifo.ts';
import { Prober } from '../host/prober.ts';
import { TrackFile } from '../host/track_file.ts';
import { Witness } from '../host/witness.ts';
import { decide, nextWakeMs } from '../pair/decide.ts';
import type { Action, Event, Reason } from '../pair/events.ts';
import { beatOf, initialState, isHolding, type Role, type State, type Word } from '../pair/state.ts';
import { LeaseKeeper } from './lease_keeper.ts';
import type { Log } from './log.ts';
import { reasons, stuck, whyFault } from './reasons.ts';
import { removeForGood } from './removal.ts';

export interface HostParts {
  readonly config: VipConfig;
  readonly log: Log;
  readonly book: AddressBook;
  readonly announcer: Announcer;
  readonly hooks: HookRunner;
  readonly lease: VipLease | null;
  /** The highest number that an earlier worker of this host has known; 0: none. */
  readonly highest: number;
  /** The address of an earlier life is here, and could not be removed. */
  readonly hasLeftover: boolean;
  /** After every turn: the worker is alive, and this is how it stands. */
  readonly onTurn: (role: Role, fence: number) => void;
  readonly onFinish: () => void;
}

/**
 * Where a hook moves the address it is for good on both hosts, or on none, so the proxy cannot see where it is: it believes
 * a word for 2 s, and one that has just started has heard none.
 */
const remindMs = 1_000;
/** How often the holder looks whether the address is still there: an administrator, or a network manager, may remove it. */
const missEveryMs = 100;

/** Runs a pair's one host: tells `decide` what happens, and does what it says. The parts belong to whoever made them. */
export class Host {
  readonly #parts: HostParts;
  readonly #witness: Witness;
  readonly #prober: Prober;
  readonly #track: TrackFile | null;
  readonly #keeper: LeaseKeeper | null;
  readonly #events: Event[] = [];
  #link: Link | null = null;
  #state: State;
  #timer: NodeJS.Timeout | undefined;
  #reminder: NodeJS.Timeout | undefined;
  #guard: NodeJS.Timeout | undefined;
  /** The address was set, and nobody has begun to remove it. */
  #isSet = false;
  #isDeciding = false;

  constructor(parts: HostParts) {
    const { config, lease } = parts;
    this.#parts = parts;
    this.#witness = new Witness(config.device);
    this.#prober = new Prober(config.device);
    const { trackFile, terms } = config;
    this.#track =
      trackFile === null ? null : new TrackFile(trackFile, isGood => this.happen({ kind: 'track', isGood }));
    this.#keeper = lease === null ? null : new LeaseKeeper(lease, terms, config.redisDeadlineMs, e => this.happen(e));
    const state = { ...initialState(terms, performance.now()), highest: parts.highest };
    this.#state = parts.hasLeftover ? { ...state, role: 'leaving' } : state;
  }

  /** Begins. The link calls `happen` with what it hears. */
  start(link: Link): void {
    this.#link = link;
    // Known before anything is told of it.
    this.#state = { ...this.#state, isTrackGood: this.#track === null, hasCarrier: this.#witness.look().hasCarrier };
    this.#isDeciding = true;
    this.#track?.look();
    this.#isDeciding = false;
    if (this.#parts.config.addressBy === 'hook') this.#reminder = setInterval(() => this.#remind(), remindMs);
    else this.#guard = setInterval(() => this.#miss(), missEveryMs);
    if (this.#parts.hasLeftover) void this.#release(0, 'leftover');
    this.#turn();
  }

  happen(event: Event): void {
    this.#events.push(event);
    if (this.#isDeciding) return;
    this.#isDeciding = true;
    for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift()) this.#decide(next);
    this.#isDeciding = false;
    this.#parts.onTurn(this.#state.role, this.#state.highest);
    this.#sleep();
  }

  close(): void {
    clearTimeout(this.#timer);
    clearInterval(this.#reminder);
    clearInterval(this.#guard);
    this.#track?.close();
  }

  #turn(): void {
    this.#track?.look();
    this.happen({ kind: 'link', ...this.#witness.look() });
    this.happen({ kind: 'tick', wallMs: Date.now() });
  }

  /** Without a carrier the kernel may have removed it, and it is let go of anyway. */
  #miss(): void {
    if (!this.#isSet || !isHolding(this.#state) || !this.#witness.hasCarrier() || this.#parts.book.isHeld()) return;
    this.#isSet = false;
    this.happen({ kind: 'vanished' });
  }

  #sleep(): void {
    const { intervalMs } = this.#state.terms;
    const delayMs = Math.min(Math.max(nextWakeMs(this.#state) - performance.now(), 1), intervalMs);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#turn(), delayMs);
  }

  #decide(event: Event): void {
    const { state, actions } = decide(this.#state, event, performance.now());
    this.#state = state;
    for (const action of actions) this.#act(action);
  }

  #act(action: Action): void {
    const { log, announcer, onFinish } = this.#parts;
    if (action.do === 'beat') this.#link?.send(beatOf(this.#state, performance.now()));
    else if (action.do === 'hold') void this.#hold(action.fence, action.because);
    else if (action.do === 'release') void this.#release(action.graceMs, action.because);
    else if (action.do === 'announce') announcer.announce();
    else if (action.do === 'probe') this.#prober.probe();
    else if (action.do === 'tell') this.#tell(action.word);
    else if (action.do === 'note') log[action.level](action.event, action.message);
    else if (action.do === 'finish') onFinish();
    else this.#keeper?.run(action);
  }

  async #hold(fence: number, because: string): Promise<void> {
    const { log, config, book, announcer } = this.#parts;
    const beganMs = performance.now();
    const isHeld = config.addressBy === 'hook' || (await book.add());
    if (this.#state.role !== 'active' || this.#state.fence < fence) return;
    if (!isHeld) {
      log.error('vip_address', `the address cannot be set on ${config.device}; CAP_NET_ADMIN is needed`, { fence });
      return this.happen({ kind: 'hold_failed' });
    }
    if (config.addressBy === 'ip') announcer.announce();
    this.#isSet = true;
    const ms = Math.round((performance.now() - beganMs) * 10) / 10;
    log.info('vip_active', `this host holds the address: ${because}`, { fence, ms });
  }

  async #release(graceMs: number, because: Reason): Promise<void> {
    const { log, config, book, announcer } = this.#parts;
    const { fence } = this.#state;
    announcer.quiet();
    this.#isSet = false;
    if (graceMs > 0) await new Promise(resolve => setTimeout(resolve, graceMs));
    if (config.addressBy === 'ip') {
      await removeForGood({
        remove: () => book.remove(),
        leaseMs: config.terms.leaseMs,
        failed: () => this.happen({ kind: 'release_failed' }),
        worse: how =>
          log.error('vip_address', `the address cannot be removed from ${config.device}: ${stuck[how]}`, { fence }),
      });
    }
    log.warn('vip_released', `this host let go of the address: ${reasons[because]}`, { fence, reason: because });
    this.happen({ kind: 'released' });
  }

  #tell(word: Word): void {
    const { config, log } = this.#parts;
    const { name, notifyFifo, terms } = config;
    const told = notifyFifo === null ? 'nobody' : tellFifo(notifyFifo, name, word, terms.priority);
    if (told === 'failed' || told === 'not_a_fifo') log.warn('vip_fifo', `${notifyFifo} cannot be written: ${told}`);
    const why = word === 'FAULT' ? whyFault(this.#state, performance.now(), this.#witness, this.#track) : '';
    const what = why === '' ? word : `${word}: ${why}`;
    log.info('vip_state', `this host is ${what}`, { state: word, fence: this.#state.fence });
    void this.#runHook(word);
  }

  #remind(): void {
    const { name, notifyFifo, terms } = this.#parts.config;
    const { told } = this.#state;
    if (notifyFifo !== null && told !== null) tellFifo(notifyFifo, name, told, terms.priority);
  }

  async #runHook(word: Word): Promise<void> {
    const { config, log, hooks } = this.#parts;
    const hook = hookFor(config.hooks, word);
    if (hook === null) return;
    const result = await hooks.run(hook, {
      NAME: config.name,
      ADDRESSES: config.addresses.map(({ address, prefix }) => `${address}/${prefix}`).join(' '),
      INTERFACE: config.device,
      FENCE: String(this.#state.fence),
      STATE: word,
    });
    if (result === null) return;
    if (result.ok) return log.info('vip_hook', `the hook for ${word} is done`, { state: word });
    log.error('vip_hook', `the hook for ${word} has failed: ${result.text}`, { state: word });
    if (config.addressBy === 'hook' && word === 'MASTER' && isHolding(this.#state))
      this.happen({ kind: 'hold_failed' });
  }
}
