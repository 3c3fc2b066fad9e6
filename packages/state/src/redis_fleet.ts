import { Circuit, type CircuitListener, type ReturnTask } from './circuit.ts';
import { type NodeTerms, RedisNode } from './redis_node.ts';
import { type PlaceOptions, placeText, type RedisPlace } from './redis_target.ts';
import { type SlotMap, slotOf } from './slots.ts';
import { StateError } from './state_error.ts';
import { WholeFleet } from './whole_fleet.ts';

export interface FleetOptions {
  readonly timeoutMs: number;
  readonly name: string;
  readonly prefix: string;
  /** Whether keys are spread by slots; else all are on one server. */
  readonly isSpread: boolean;
  readonly listener: CircuitListener;
  reply<T>(command: Promise<T>): Promise<T>;
  /** How a server is spoken to. */
  optionsAt(place: RedisPlace): PlaceOptions;
  /** How a server is called; default: its host and port. */
  addressAt?(place: RedisPlace): string;
}

/** A server that a part of the keys was promised to (ASK) is kept so long without slots of its own. */
const guestMs = 30_000;
/** What servers send us on to is bounded. */
const mostMembers = 1000;
/** Slots that are looked through for a key of a server; one with few slots, or none, is asked about a key of another one. */
const probesTried = 20_000;

interface Member {
  readonly node: RedisNode;
  readonly place: RedisPlace;
  readonly guestUntilMs: number;
}

/**
 * The servers that have the keys now, each with its own connection and circuit. Whoever finds out that others have them
 * says so by `apply`; a server that takes the place of one that was away goes on with that one's absence.
 */
export class RedisFleet {
  readonly #options: FleetOptions;
  readonly #members = new Map<string, Member>();
  readonly #tasks = new Set<ReturnTask>();
  /** Of keys that nobody has: never closed. */
  readonly #nowhere: Circuit;
  #map: SlotMap = { shards: [], owners: new Int16Array(0), replicas: [] };
  /** By number of the shard in the map; a server that was learnt of by MOVED comes behind these. */
  #nodes: RedisNode[] = [];
  /** Servers that have no keys any more, and may yet answer. */
  readonly #retired = new Set<RedisNode>();
  /** Since when there is no server at all, and everybody was told. */
  #lostSinceMs: number | null = null;
  #isClosed = false;
  readonly whole: WholeFleet = new WholeFleet(() => this.nodes);

  constructor(options: FleetOptions) {
    this.#options = options;
    const silent = { onAway() {}, onBack() {}, onRefused() {} };
    this.#nowhere = new Circuit({ probe: async () => {}, drop() {} }, silent);
  }

  get nodes(): readonly RedisNode[] {
    return [...this.#members.values()].map(({ node }) => node);
  }

  /** Masters that take writes now. */
  get served(): readonly { readonly place: RedisPlace; readonly client: RedisNode['client'] }[] {
    return [...this.#members.values()].flatMap(({ node, place }) =>
      node.circuit.isClosed ? { place, client: node.client } : [],
    );
  }

  /** The masters in the order of their first slots. */
  get shards(): readonly { readonly firstSlot: number; readonly node: RedisNode; readonly address: string }[] {
    return this.#map.shards.flatMap(({ firstSlot, place }, at) => {
      const node = this.#nodes[at];
      return node === undefined ? [] : { firstSlot, node, address: placeText(place) };
    });
  }

  /** Every slot has a server, and all of them are asked. */
  get isSettled(): boolean {
    return (
      this.#nodes.length > 0 && this.nodes.every(({ circuit }) => circuit.isClosed) && !this.#map.owners.includes(-1)
    );
  }

  get isSpread(): boolean {
    return this.#options.isSpread;
  }

  slotOf(key: string): number {
    return this.#options.isSpread ? slotOf(key) : 0;
  }

  nodeAt(slot: number): RedisNode | null {
    return this.#nodes[this.#map.owners[slot] ?? -1] ?? null;
  }

  circuitAt(slot: number): Circuit {
    return this.nodeAt(slot)?.circuit ?? this.#nowhere;
  }

  register(task: ReturnTask): () => void {
    this.#tasks.add(task);
    const leave = this.nodes.map(({ circuit }) => circuit.register(task));
    return () => {
      this.#tasks.delete(task);
      for (const go of leave) go();
      for (const { circuit } of this.nodes) circuit.register(task)();
    };
  }

  /** These servers have the keys from now on. */
  apply(map: SlotMap): void {
    if (this.#isClosed) return;
    const before = { map: this.#map, nodes: this.#nodes };
    const nodes = map.shards.map(({ place, firstSlot }) => {
      const former = before.nodes[before.map.owners[firstSlot] ?? -1];
      return this.#member(place, former?.circuit.awaySinceMs ?? this.#lostSinceMs).node;
    });
    this.#map = map;
    this.#nodes = nodes;
    this.#lostSinceMs = null;
    const nowMs = performance.now();
    for (const [name, { node, guestUntilMs }] of this.#members) {
      if (nodes.includes(node) || guestUntilMs > nowMs) continue;
      this.#members.delete(name);
      this.#retire(node);
    }
    this.whole.changed();
  }

  /** Nobody could tell who has the keys. What is known goes on being used. */
  lost(reason: StateError): void {
    if (this.#isClosed || this.#nodes.length > 0 || this.#lostSinceMs !== null) return;
    this.#lostSinceMs = performance.now();
    this.whole.lost();
    this.#options.listener.onAway(reason);
  }

  /** A server said that another one has this slot; null: that one is not there yet. */
  moved(slot: number, place: RedisPlace): RedisNode | null {
    const node = this.guest(place);
    if (node === null) return null;
    let at = this.#nodes.indexOf(node);
    if (at < 0) at = this.#nodes.push(node) - 1;
    this.#map.owners[slot] = at;
    return node;
  }

  /** A server that has a key for now; null: it is not there yet. */
  guest(place: RedisPlace): RedisNode | null {
    if (this.#members.size >= mostMembers) return null;
    const { node } = this.#member(place, null, performance.now() + guestMs);
    return node.client.status === 'ready' ? node : null;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.whole.lost();
    await Promise.all([...this.nodes, ...this.#retired].map(node => node.close()));
  }

  #member(place: RedisPlace, awaySinceMs: number | null = null, guestUntilMs = 0): Member {
    const name = placeText(place);
    const known = this.#members.get(name);
    if (known !== undefined) return known;
    const { timeoutMs, reply, optionsAt } = this.#options;
    const address = this.#options.addressAt?.(place) ?? name;
    const listener = naming(this.#options.listener, address);
    const terms = { timeoutMs, name: this.#options.name, listener, reply, probeKey: () => this.#probeKey(place) };
    const node = new RedisNode(optionsAt(place), address, terms, awaySinceMs);
    for (const task of this.#tasks) node.circuit.register(task);
    const member = { node, place, guestUntilMs };
    this.#members.set(name, member);
    return member;
  }

  /** What was sent to it may still be answered. */
  #retire(node: RedisNode): void {
    node.circuit.close();
    this.#retired.add(node);
    setTimeout(() => {
      this.#retired.delete(node);
      void node.close();
    }, this.#options.timeoutMs).unref();
  }

  /** Below the prefix, for a user may have no right to anything else. */
  #probeKey(place: RedisPlace): ReturnType<NodeTerms['probeKey']> {
    const key = `${this.#options.prefix}:probe`;
    if (!this.#options.isSpread) return { key, isOwn: true };
    const node = this.#members.get(placeText(place))?.node;
    for (let i = 0; node !== undefined && i < probesTried; i++) {
      if (this.nodeAt(slotOf(`${key}:${i}`)) === node) return { key: `${key}:${i}`, isOwn: true };
    }
    return { key, isOwn: false };
  }
}

/** Every word of an absence names the server: that a reply is late is known of the whole only. */
function naming(listener: CircuitListener, address: string): CircuitListener {
  const named = (reason: StateError): StateError => {
    const { code, message, remedy } = reason;
    return message.includes(address) ? reason : new StateError(code, `${message} (server ${address})`, remedy);
  };
  return {
    onAway: reason => listener.onAway(named(reason)),
    onBack: awayMs => listener.onBack(awayMs),
    onRefused: reason => listener.onRefused(named(reason)),
  };
}
