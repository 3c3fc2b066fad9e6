import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { readScryptHash, type ScryptHash } from '../../config/password_hash.ts';

const LN = 15;
const COST = 2 ** LN;
const BLOCK_SIZE = 8;
const PARALLELIZATION = 1;
const SALT_BYTES = 16;
const HASH_BYTES = 32;

/** What `limpet password` prints: `$scrypt$ln=15,r=8,p=1$SALT$HASH`, with a salt of its own each time. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const form = { cost: COST, blockSize: BLOCK_SIZE, parallelization: PARALLELIZATION, salt };
  const hash = await derive(password, { ...form, hash: Buffer.alloc(HASH_BYTES) });
  const [writtenSalt, writtenHash] = [salt, hash].map(bytes => bytes.toString('base64').replace(/=+$/, ''));
  return `$scrypt$ln=${LN},r=${BLOCK_SIZE},p=${PARALLELIZATION}$${writtenSalt}$${writtenHash}`;
}

/**
 * Whether the password is the one of this hash. Takes as long for a wrong one, and for a hash that is cheaper than
 * `least` as long as for that; no hash is nobody's password.
 */
export async function isPassword(password: string, written: string, least: string = written): Promise<boolean> {
  const known = readScryptHash(written);
  const decoy = readScryptHash(least);
  if (known === null) return false;
  const isCheaper = decoy !== null && workOf(known) < workOf(decoy);
  const [derived] = await Promise.all([derive(password, known), isCheaper ? derive(password, decoy) : null]);
  return timingSafeEqual(derived, known.hash);
}

/** The hash that takes the longest; '' where there is none. */
export function costliest(hashes: readonly string[]): string {
  const work = (hash: string): number => {
    const read = readScryptHash(hash);
    return read === null ? 0 : workOf(read);
  };
  return hashes.reduce((most, hash) => (work(hash) > work(most) ? hash : most), hashes[0] ?? '');
}

/** scrypt's time is in proportion to this. */
function workOf({ cost, blockSize, parallelization }: ScryptHash): number {
  return cost * blockSize * parallelization;
}

/** In libuv's threads: the event loop goes on. */
function derive(password: string, form: ScryptHash): Promise<Buffer> {
  const { cost, blockSize, parallelization, salt, hash } = form;
  const maxmem = 2 * 128 * cost * blockSize;
  return new Promise((resolve, reject) => {
    // One user types é as one character, another's keyboard as two (RFC 8265, 4.2).
    const text = password.normalize('NFC');
    scrypt(text, salt, hash.length, { cost, blockSize, parallelization, maxmem }, (error, key) =>
      error === null ? resolve(key) : reject(error),
    );
  });
}
