/**
 * The process of a storm: `storm_child.ts PORT COUNT PREFIX`. It prints `ready`, breaks loose at SIGUSR2, prints
 * `arrivals` and how it ended for each client, and stays until it is ended.
 */
import { arrive } from './light_client.ts';

const [port = '', count = '', prefix = ''] = process.argv.slice(2);
/** Longer than any queue of the tests: a client that is `late` was forgotten. */
const timeoutMs = 60_000;

process.once('SIGUSR2', () => void breakLoose());
// Keeps the process while nobody has come yet.
setInterval(() => undefined, 60_000);
console.log('ready');

async function breakLoose(): Promise<void> {
  const arrivals = Array.from({ length: Number(count) }, async (_, index) => {
    const version = index % 2 === 0 ? 4 : 5;
    const { outcome, waitMs } = await arrive(Number(port), { clientId: `${prefix}-${index}`, version, timeoutMs });
    return { version, outcome, waitMs };
  });
  console.log(`arrivals ${JSON.stringify(await Promise.all(arrivals))}`);
}
