import type { TimerWheel } from '../clock.ts';
import type { Endpoint } from '../endpoint.ts';

/** Long enough for a peer that listens to fetch the last bytes and to answer; RFC 6455, 7.1.1 leaves it to us. */
export const LINGER_MS = 2000;

/**
 * Ends a connection behind its last words: FIN, then whatever the peer still sends is thrown away until it ends, too, or
 * 2 s are over. Closing at once would answer its bytes with RST, which may overtake our words. Resolves when both
 * directions are gone.
 */
export function lingerThenReset(endpoint: Endpoint, wheel: TimerWheel): Promise<string | null> {
  return new Promise(resolve => {
    const timer = wheel.after(LINGER_MS, () => endpoint.reset());
    endpoint.attach({
      bytes() {},
      drained() {},
      ended: () => endpoint.close(),
      closed(code) {
        timer.cancel();
        resolve(code);
      },
    });
    endpoint.end();
    endpoint.resume();
  });
}
