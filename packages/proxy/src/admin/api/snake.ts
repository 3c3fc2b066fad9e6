/** `connackP50Ms` → `connack_p50_ms`. */
export type SnakeKey<Key extends string> = Key extends `${infer Head}${infer Tail}`
  ? `${Head extends Lowercase<Head> ? Head : `_${Lowercase<Head>}`}${SnakeKey<Tail>}`
  : '';

/** A contract of this program as its JSON says it. Maps from names to numbers keep their names. */
export type Snake<T> = T extends readonly (infer Item)[]
  ? readonly Snake<Item>[]
  : T extends object
    ? string extends keyof T
      ? { readonly [Name in keyof T]: Snake<T[Name]> }
      : { readonly [Key in keyof T as Key extends string ? SnakeKey<Key> : never]: SnakeField<Key, T[Key]> }
    : T;

/** Counters have so many names that a map of them is told as a map. */
type SnakeField<Key, Value> = Key extends 'counts' ? Readonly<Record<string, number>> : Snake<Value>;

/** A key of our own contracts. Names in maps look different: `emqx/emqx1`, `connect:5.0`, or have no capital. */
const OUR_KEY = /^[a-z][A-Za-z0-9]*$/;

/** The one place where the API's names are made: every key of plain data in snake_case. */
export function snake(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(snake);
  if (typeof value !== 'object' || value === null) return value;
  const told: Record<string, unknown> = {};
  for (const [key, inner] of Object.entries(value)) told[snakeKey(key)] = snake(inner);
  return told;
}

/** Of the same few names thousands are told at once. */
const known = new Map<string, string>();
const MOST_KNOWN = 1_000;

function snakeKey(key: string): string {
  const before = known.get(key);
  if (before !== undefined) return before;
  const name = OUR_KEY.test(key) ? key.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`) : key;
  if (known.size < MOST_KNOWN) known.set(key, name);
  return name;
}
