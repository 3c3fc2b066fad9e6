import { createHmac, randomBytes } from 'node:crypto';
import type { AdminLevel, StatsUser } from '../../config/resolved.ts';
import { type Credentials, readBasic } from './basic.ts';
import { Failures } from './failures.ts';
import { isPassword } from './password.ts';
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

/** How long a password that was right need not be derived again. */
const REMEMBERED_MS = 60_000;
const MOST_REMEMBERED = 1000;
/** scrypt takes 32 MiB and a tenth of a second each. */
const AT_ONCE = 4;
const QUEUE = 32;

/** Knows who asks, by HTTP's Basic credentials. Times are monotonic milliseconds. */
export class Authenticator {
  readonly #users: ReadonlyMap<string, StatsUser>;
  /** Under which credentials are remembered: never as they are. */
  readonly #key = randomBytes(32);
  readonly #remembered = new Map<string, { readonly verdict: Verdict; readonly untilMs: number }>();
  /** A page asks for many things at once: its password is looked at once. */
  readonly #underWay = new Map<string, Promise<Verdict>>();
  readonly #failures = new Failures();
  readonly #turns = new Turns(AT_ONCE, QUEUE);

  constructor(users: readonly StatsUser[]) {
    this.#users = new Map(users.map(user => [user.name, user]));
  }

  /** @param header Authorization, as it came; @param source the client's address */
  async judge(header: string | undefined, source: string, nowMs: number = performance.now()): Promise<Verdict> {
    if (this.#users.size === 0) return { kind: 'let_in', name: null, level: 'user' };
    const credentials = readBasic(header);
    if (credentials === null) return { kind: 'stranger' };
    const digest = this.#digest(credentials);
    const known = this.#remembered.get(digest);
    if (known !== undefined && known.untilMs > nowMs) return known.verdict;
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
    const retryAfterS = this.#failures.try(source, nowMs);
    if (retryAfterS > 0) return { kind: 'too_many', retryAfterS };
    const user = this.#users.get(credentials.name);
    // Somebody unknown takes as long as somebody known.
    const hash = (user ?? [...this.#users.values()][0])?.password ?? '';
    const isRight = await this.#turns.take(() => isPassword(credentials.password, hash));
    if (isRight === null) {
      this.#failures.forgive(source);
      return { kind: 'busy' };
    }
    if (!isRight || user === undefined) return { kind: 'wrong' };
    this.#failures.forgive(source);
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
