import { Link, type LinkOptions } from './link.ts';

/** The worker's exit code where it could not begin, and another start would not help. */
export const refusedExit = 3;

/** The heartbeats' socket is refused: what happened, and what would be right. */
export class BindRefused extends Error {}

/** An earlier worker that still lets go has the port for so long; so long a new IPv6 address is not usable yet. */
const patienceMs = 2_500;
const againMs = 100;

const remedies: Readonly<Record<string, string>> = {
  EADDRINUSE: 'Something else has this port: end it, or write another port on both hosts.',
  EADDRNOTAVAIL: 'No interface of this host has this address: correct `self`, or set the address.',
  EACCES: 'A port below 1024 needs CAP_NET_BIND_SERVICE: write a higher one on both hosts.',
};

/**
 * Opens the link, and waits a moment for what is about to go.
 * @throws BindRefused where waiting did not help
 */
export async function openLink(options: LinkOptions): Promise<Link> {
  for (let leftMs = patienceMs; ; leftMs -= againMs) {
    try {
      return await Link.open(options);
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      const remedy = remedies[code];
      if (remedy === undefined) throw error;
      if (leftMs <= 0) throw new BindRefused(`\`self\` ${options.self.text} cannot be used (${code}). ${remedy}`);
      await new Promise(resolve => setTimeout(resolve, againMs));
    }
  }
}
