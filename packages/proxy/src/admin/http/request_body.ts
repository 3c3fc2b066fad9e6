import type { IncomingMessage } from 'node:http';
import { LimpetError } from '../../errors.ts';
import { MAX_JSON_BYTES, tooLarge } from '../api/body.ts';

/** Tables that are imported. */
const MAX_STREAM_BYTES = 1_073_741_824;
/** From the first look at a JSON body until it is whole. */
const JSON_MS = 10_000;

/**
 * A request's body, within its limits. JSON is small and comes within 10 s; of a stream every piece comes before the
 * connection has been idle for too long.
 * @throws LimpetError TOO_LARGE, TIMEOUT, CUT_OFF: while it is read
 */
export async function* requestBody(request: IncomingMessage, isStream: boolean): AsyncIterable<Buffer> {
  const limit = isStream ? MAX_STREAM_BYTES : MAX_JSON_BYTES;
  const deadline = isStream ? null : new Deadline(JSON_MS);
  let bytes = 0;
  try {
    if (Number(request.headers['content-length'] ?? 0) > limit) throw tooLarge(limit);
    // The answer goes the same way: the request must not be destroyed.
    const chunks = request.iterator({ destroyOnReturn: false });
    for (;;) {
      const next = chunks.next().catch(cutOff);
      // Not where there are many: a promise that stays open holds all that ever raced it.
      const { done, value } = await (deadline === null ? next : Promise.race([next, deadline.over]));
      if (done) return;
      bytes += (value as Buffer).length;
      if (bytes > limit) throw tooLarge(limit);
      yield value as Buffer;
    }
  } finally {
    deadline?.cancel();
  }
}

/** Who asked has gone: no fault of ours. */
function cutOff(cause: unknown): never {
  throw new LimpetError('CUT_OFF', 'the body did not come whole', 'Send it again.', { cause });
}

class Deadline {
  /** Rejects when the time is over. */
  readonly over: Promise<never>;
  #timer: NodeJS.Timeout | null = null;

  constructor(ms: number) {
    this.over = new Promise((_, reject) => {
      const late = () => reject(new LimpetError('TIMEOUT', 'the body did not come in time', 'Send it at once.'));
      this.#timer = setTimeout(late, ms);
    });
    this.over.catch(() => {});
  }

  cancel(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
  }
}
