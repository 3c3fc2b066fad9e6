import { randomBytes } from 'node:crypto';
import type { SecureContext } from 'node:tls';
import { onTicketKey, setTicketKey, type TicketCallback } from './node_internals.ts';
import { issuingKey, makeTicketKey, type TicketKey } from './ticket_ring.ts';

const VECTOR_BYTES = 16;

/**
 * How long a session may go on from ticket to ticket: a week, more than which RFC 8446 (4.6.1) does not allow. A ticket ends
 * before that, with its key. It must not be the time of a ticket: OpenSSL counts a session of TLS 1.2 from its full
 * handshake, whatever tickets it was given since.
 */
export const SESSION_LIFETIME_S: number = 7 * 86_400;

/**
 * The ticket keys of a worker, for all its TLS binds. The newest key whose time has come makes tickets, all others still
 * open theirs. Whoever resumes gets a new ticket: in TLS 1.3 clients use one only once (RFC 8446, C.4), so that a
 * resumption without a new one would be their last.
 */
export class TicketKeys {
  readonly #hook: typeof onTicketKey;
  readonly #callback: TicketCallback;
  #ring: readonly TicketKey[] = [];
  readonly #own: TicketKey = makeTicketKey(0);
  /** Contexts that cannot ask for a key have to be told. */
  #toTell: readonly WeakRef<SecureContext>[] = [];

  /** Begins with a key of its own, until setKeys() brings the shared ones. */
  constructor(hook: typeof onTicketKey = onTicketKey) {
    this.#hook = hook;
    this.#callback = (name, _vector, encrypts) => (encrypts ? this.#seal() : this.#open(name));
  }

  /**
   * Whether this Node has no hook for several keys (20, 22 and 24 have it). Then tickets made with another key than the
   * current one are not opened: each rotation costs each client a full handshake.
   */
  get hasOneKeyOnly(): boolean {
    return this.#toTell.length > 0;
  }

  /** Newest first. An empty list changes nothing. */
  setKeys(ring: readonly TicketKey[]): void {
    if (ring.length === 0) return;
    this.#ring = ring;
    this.#toTell = this.#toTell.filter(reference => reference.deref() !== undefined);
    for (const reference of this.#toTell) {
      const context = reference.deref();
      if (context !== undefined) setTicketKey(context, this.#current48());
    }
  }

  /** From now on the context's tickets are made and opened with these keys. */
  serve(context: SecureContext): void {
    if (this.#hook(context, this.#callback)) return;
    this.#toTell = [...this.#toTell, new WeakRef(context)];
    setTicketKey(context, this.#current48());
  }

  get #current(): TicketKey {
    return issuingKey(this.#ring, Date.now()) ?? this.#own;
  }

  #current48(): Buffer {
    const { name, hmac, aes } = this.#current;
    return Buffer.concat([name, hmac, aes]);
  }

  #seal(): ReturnType<TicketCallback> {
    const { name, hmac, aes } = this.#current;
    return [1, hmac, aes, name, randomBytes(VECTOR_BYTES)];
  }

  #open(name: Buffer): ReturnType<TicketCallback> {
    const key = this.#ring.find(one => one.name.equals(name));
    if (key !== undefined) return [2, key.hmac, key.aes];
    const isOwn = this.#own.name.equals(name);
    return [isOwn ? 2 : 0, this.#own.hmac, this.#own.aes];
  }
}
