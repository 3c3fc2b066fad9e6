import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto';
import { promisify } from 'node:util';
import { readRing, type TicketKey, writeRing } from './ticket_ring.ts';

/**
 * How the ring lies in Redis: `v1.SALT.BODY`, both base64url. BODY is a nonce of 12 bytes, the ring as JSON under
 * AES-256-GCM, and the tag of 16; version and salt are authenticated with it. The key is scrypt of the secret and the salt.
 */
const VERSION = 'v1';
const SALT_BYTES = 16;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_BYTES = 32;
/** Bounds what is decoded: a full ring takes some 3 KiB. */
const MAX_CHARACTERS = 16_384;

const derive = promisify<string, Buffer, number, Buffer>(scrypt);

export type Opened =
  | { readonly kind: 'ring'; readonly ring: readonly TicketKey[] }
  /** It was made with another secret, or changed by somebody who has none. */
  | { readonly kind: 'wrong_secret' }
  /** A later version of Limpet wrote it, or something else. */
  | { readonly kind: 'unknown' };

/** Seals a ring for Redis and opens it again. The key of a salt is derived once: it costs some 50 ms, off the event loop. */
export class RingSeal {
  readonly #secret: string;
  /** Its own, until a ring of somebody else was opened. */
  #salt: Buffer = randomBytes(SALT_BYTES);
  #derived: { readonly salt: Buffer; readonly key: Buffer } | null = null;

  constructor(secret: string) {
    this.#secret = secret;
  }

  /** With the salt that was opened last, so that the others need not derive a key again. */
  async seal(ring: readonly TicketKey[]): Promise<string> {
    const salt = this.#salt;
    const key = await this.#keyOf(salt);
    const nonce = randomBytes(NONCE_BYTES);
    const head = headOf(salt);
    const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(Buffer.from(head));
    const sealed = [cipher.update(JSON.stringify(writeRing(ring)), 'utf8'), cipher.final()];
    return head + Buffer.concat([nonce, ...sealed, cipher.getAuthTag()]).toString('base64url');
  }

  async open(text: string): Promise<Opened> {
    const [version, saltText, bodyText] = text.length > MAX_CHARACTERS ? [] : text.split('.', 3);
    const salt = Buffer.from(saltText ?? '', 'base64url');
    const body = Buffer.from(bodyText ?? '', 'base64url');
    if (version !== VERSION || salt.length !== SALT_BYTES || body.length < NONCE_BYTES + TAG_BYTES)
      return { kind: 'unknown' };
    const json = decrypt(await this.#keyOf(salt), headOf(salt), body);
    if (json === null) return { kind: 'wrong_secret' };
    this.#salt = salt;
    const ring = readRing(json);
    return ring === null ? { kind: 'unknown' } : { kind: 'ring', ring };
  }

  async #keyOf(salt: Buffer): Promise<Buffer> {
    if (this.#derived?.salt.equals(salt)) return this.#derived.key;
    const key = await derive(this.#secret, salt, KEY_BYTES);
    this.#derived = { salt, key };
    return key;
  }
}

function headOf(salt: Buffer): string {
  return `${VERSION}.${salt.toString('base64url')}.`;
}

/** Null: the tag does not fit. */
function decrypt(key: Buffer, head: string, body: Buffer): unknown {
  const decipher = createDecipheriv('aes-256-gcm', key, body.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(head));
  decipher.setAuthTag(body.subarray(-TAG_BYTES));
  try {
    const plain = Buffer.concat([decipher.update(body.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
    return JSON.parse(plain.toString('utf8'));
  } catch {
    return null;
  }
}
