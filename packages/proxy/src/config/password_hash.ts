/** The parts of a password's hash, as `$scrypt$ln=15,r=8,p=1$SALT$HASH` writes them (base64 without padding). */
export interface ScryptHash {
  /** Cost: 2 to the power of `ln`. */
  readonly cost: number;
  readonly blockSize: number;
  readonly parallelization: number;
  readonly salt: Buffer;
  readonly hash: Buffer;
}

const FORM = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/;
/** Cheaper ones are guessed from a stolen file in no time. */
const LEAST_LN = 14;
/** scrypt takes 128 × N × r bytes; several logins at once must not be what ends the proxy. */
const MOST_BYTES = 64 * 1024 ** 2;
/** Each costs the whole time once more. */
const MOST_PARALLEL = 2;

/** Reads a hash; null: it is none, or one that is too weak or too costly. */
export function readScryptHash(text: string): ScryptHash | null {
  const [, ln, r, p, salt = '', hash = ''] = FORM.exec(text) ?? [];
  if (ln === undefined) return null;
  const [cost, blockSize, parallelization] = [2 ** Number(ln), Number(r), Number(p)];
  const isSane = Number(ln) >= LEAST_LN && blockSize >= 1 && parallelization >= 1 && parallelization <= MOST_PARALLEL;
  if (!isSane || 128 * cost * blockSize > MOST_BYTES) return null;
  return { cost, blockSize, parallelization, salt: Buffer.from(salt, 'base64'), hash: Buffer.from(hash, 'base64') };
}

/** What is wrong with a hash, without quoting it; null: nothing. */
export function passwordFault(text: string): string | null {
  if (readScryptHash(text) !== null) return null;
  return text.startsWith('$scrypt$')
    ? 'is a hash that is cut, too weak or too costly'
    : 'is not the hash of a password';
}
