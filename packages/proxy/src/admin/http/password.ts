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

/** Whether the password is the one of this hash. Takes as long for a wrong one; no hash is nobody's password. */
export async function isPassword(password: string, written: string): Promise<boolean> {
  const known = readScryptHash(written);
  if (known === null) return false;
  return timingSafeEqual(await derive(password, known), known.hash);
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
