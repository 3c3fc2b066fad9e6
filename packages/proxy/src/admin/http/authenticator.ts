import { createHmac, randomBytes } from 'node:crypto';
import type { AdminLevel, StatsUser } from '../../config/resolved.ts';
import { type Credentials, readBasic } from './basic.ts';
import { Failures } from './failures.ts';
import { costliest, isPassword } from './password.ts';
import { Turns } from './turns.ts';

export type Verdict =
  /** `name` null: there are no users, and everybody may look. */
  | { readonly kind: 'let_in'; readonly name: string | null; readonly level: AdminLevel }
  /** No credentials. */
  | { readonly kind: 'stranger' }
  /** Wrong ones. */
  | { readonly kind: 'wrong' }
  | { readonly kind: 'too_many'; readonly retryAfterS: number }
  /** Too many passwords are being looked at just now. */
  | { readonly kind: 'busy' };

/** How long a password that was right need not be derived again, from the last time it was said. */
const REMEMBERED_MS = 60_000;
const MOST_REMEMBERED = 1000;
/** scrypt takes 32 MiB (64 at most), a tenth of a second, and one of libuv's four threads each: files and names need some too. */
const AT_ONCE = 2;
const QUEUE = 32;

/** Knows who asks, by HTTP's Basic credentials. Times are monotonic milliseconds. */
export class Authenticator {
  readonly #users: ReadonlyMap<string, StatsUser>;
  /** What all tries cost at least, so that the time does not tell which names there are. */
  readonly #costliest: string;
  /** Under which credentials are remembered: never as they are. */
  readonly #key = randomBytes(32);
  readonly #remembered = new Map<string, { readonly verdict: Verdict; readonly untilMs: number }>();
  /** A page asks for many things at once: its password is looked at once. */
  readonly #underWay = new Map<string, Promise<Verdict>>();
  readonly #failures = new Failures();
  readonly #turns = new Turns(AT_ONCE, QUEUE);

  constructor(users: readonly StatsUser[]) {
    this.#users = new Map(users.map(user => [user.name, user]));
    this.#costliest = costliest(users.map(({ password }) => password));
  }

  /** @param header Authorization, as it came; @param source the client's address */
  async judge(header: string | undefined, source: string, nowMs: number = performance.now()): Promise<Verdict> {
    if (this.#users.size === 0) return { kind: 'let_in', name: null, level: 'user' };
    const credentials = readBasic(header);
    if (credentials === null) return { kind: 'stranger' };
    const digest = this.#digest(credentials);
    const known = this.#remembered.get(digest);
    if (known !== undefined && known.untilMs > nowMs) {
      // An open page stays in, whatever others try from its address.
      this.#remember(digest, { verdict: known.verdict, untilMs: nowMs + REMEMBERED_MS });
      return known.verdict;
    }
    // Per source: others' failures are not those of whoever happens to send the same.
    const mine = `${digest} ${source}`;
    const pending = this.#underWay.get(mine) ?? this.#look(credentials, digest, source, nowMs);
    this.#underWay.set(mine, pending);
    try {
      return await pending;
    } finally {
      this.#underWay.delete(mine);
    }
  }

  async #look(credentials: Credentials, digest: string, source: string, nowMs: number): Promise<Verdict> {
    const user = this.#users.get(credentials.name);
    const name = user?.name ?? null;
    const retryAfterS = this.#failures.try(source, name, nowMs);
    if (retryAfterS > 0) return { kind: 'too_many', retryAfterS };
    const hash = user?.password ?? this.#costliest;
    const isRight = await this.#turns.take(() => isPassword(credentials.password, hash, this.#costliest));
    if (isRight === null) {
      this.#failures.forgive(source, name);
      return { kind: 'busy' };
    }
    if (!isRight || user === undefined) return { kind: 'wrong' };
    this.#failures.forgive(source, name);
    const verdict: Verdict = { kind: 'let_in', name: user.name, level: user.level };
    this.#remember(digest, { verdict, untilMs: nowMs + REMEMBERED_MS });
    return verdict;
  }

  #remember(digest: string, known: { readonly verdict: Verdict; readonly untilMs: number }): void {
    this.#remembered.delete(digest);
    this.#remembered.set(digest, known);
    const oldest = this.#remembered.keys().next();
    if (this.#remembered.size > MOST_REMEMBERED && !oldest.done) this.#remembered.delete(oldest.value);
  }

  #digest({ name, password }: Credentials): string {
    return createHmac('sha256', this.#key).update(`${name}\0${password}`).digest('base64');
  }
}
