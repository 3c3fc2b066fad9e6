import { Socket } from 'node:net';

/** V8 remembers what a function has met only when it has run some 30 times. */
const TIMES = 100;

/**
 * Once in a process that makes many sockets. Node's constructor of sockets spreads its options into a new object and adds
 * some more. V8 11 (Node 20) makes a hidden class of its own for each such object, so that nothing that is read of it
 * is ever in a cache: 4 µs and much garbage for each socket. Once it has met an object without a prototype there, which it
 * copies in the plain way, it copies all others in that way too, and their classes are the same.
 */
export function settleSocketShapes(): void {
  const options = { __proto__: null, allowHalfOpen: true };
  for (let made = 0; made < TIMES; made += 1) new Socket(options);
}
