import type { Clock } from '../judge/clock.ts';
import { said, textOf } from './text.ts';

type Synchronised = Pick<Clock, 'synchronised' | 'by'>;

/** Whoever of systemd and chrony answers knows. */
export async function readClock(): Promise<Synchronised> {
  const [systemd, chrony] = await Promise.all([said('timedatectl', 'show'), said('chronyc', '-n', 'tracking')]);
  return synchronisedBy(systemd.text, chrony.text) ?? timesyncd();
}

export function synchronisedBy(systemd: string, chrony: string): Synchronised | null {
  const leap = /^Leap status\s*:\s*(.+)$/m.exec(chrony)?.[1];
  if (leap !== undefined) return { synchronised: !/not synchronised/i.test(leap), by: 'chronyc' };
  const word = /^NTPSynchronized=(yes|no)$/m.exec(systemd)?.[1];
  return word === undefined ? null : { synchronised: word === 'yes', by: 'timedatectl' };
}

/** Its mark, for where systemd itself may not be asked. */
function timesyncd(): Synchronised {
  const isThere = textOf('/run/systemd/timesync/synchronized') !== null;
  return isThere ? { synchronised: true, by: 'systemd-timesyncd' } : { synchronised: null, by: null };
}
