import type { VipPlace } from '../config/place.ts';
import { AddressBook } from '../host/address.ts';
import { tellFifo } from '../host/notify_fifo.ts';
import { lockInstance } from './lock.ts';

/** `stuck`: an address is still there. `running`: an instance runs here, so nothing was touched. */
export type Released = 'gone' | 'stuck' | 'running';

/** Takes the addresses off the interface, for whoever finds both processes dead. */
export async function releaseVip(place: VipPlace): Promise<Released> {
  // No lock to be had at all is no reason to leave the address where it is.
  const lock = await lockInstance(place).catch(() => undefined);
  if (lock === null) return 'running';
  const isGone = await removeDead(place);
  lock?.unlock();
  return isGone ? 'gone' : 'stuck';
}

async function removeDead({ name, addresses, device, addressBy, notifyFifo, priority }: VipPlace): Promise<boolean> {
  if (notifyFifo !== null) tellFifo(notifyFifo, name, 'FAULT', priority);
  if (addressBy === 'hook') return true;
  const book = new AddressBook(addresses, device);
  const isGone = await book.remove();
  book.close();
  return isGone;
}
