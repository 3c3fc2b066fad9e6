import { type Family, familyOf, type VirtualAddress } from './words.ts';

/** What was asked for, each value right in itself. */
export interface Wanted {
  readonly name: string;
  /** At least one. */
  readonly vips: readonly VirtualAddress[];
  readonly interfaceName: string;
  /** Others whose links must be up too. */
  readonly trackInterfaces: readonly string[];
  /** This host's own. Null: keepalived takes the interface's. */
  readonly address: string | null;
  readonly peer: string | null;
  /** Null: unicast where there is a peer. */
  readonly transport: 'unicast' | 'multicast' | null;
  /** 1 to 254; null: by the order of the two addresses. */
  readonly priority: number | null;
  /** 1 to 255; null: by the first virtual address. */
  readonly routerId: number | null;
  readonly advertMs: number;
  readonly trackFile: string;
  readonly notifyFifo: string;
}

/** Everything that the file of one host says. */
export interface HostPlan extends Omit<Wanted, 'vips' | 'transport' | 'priority' | 'routerId'> {
  /** Of the family that the adverts travel in. */
  readonly advertised: readonly VirtualAddress[];
  /** Of the other one: they move along. */
  readonly companions: readonly VirtualAddress[];
  readonly family: Family;
  readonly isUnicast: boolean;
  readonly priority: number;
  readonly routerId: number;
}

export type Planned<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly message: string; readonly remedy: string };

/**
 * A backup waits three adverts and (256 - priority) / 256 of one, and after a farewell only the latter. High priorities
 * keep that short; 20 apart, two hosts that begin together do not both end their waiting at once.
 */
const HIGHER = 250;
const LOWER = 230;
const APART = 20;

function fail(message: string, remedy: string): Planned<never> {
  return { ok: false, message, remedy };
}

/** What one host's file says. It must fit the other host's, so nothing but `address`, `peer` and `priority` may differ. */
export function planHost(wanted: Wanted): Planned<HostPlan> {
  const wrong = wrongAddresses(wanted) ?? wrongTransport(wanted);
  if (wrong !== null) return wrong;
  const { vips, transport, priority, routerId, ...rest } = wanted;
  const family = familyFor(wanted);
  const advertised = linkLocalFirst(vips.filter(vip => vip.family === family));
  if (advertised.length === 0) return noneOfFamily(family);
  return {
    ok: true,
    value: {
      ...rest,
      advertised,
      companions: vips.filter(vip => vip.family !== family),
      family,
      isUnicast: transport !== 'multicast' && wanted.peer !== null,
      priority: priority ?? priorityBetween(wanted.address, wanted.peer),
      routerId: routerId ?? routerIdOf(vips),
    },
  };
}

/** What the other host's file says. Its priority is as far below this one's as it can be, or above. */
export function planPeer(wanted: Wanted): Planned<HostPlan> {
  const { address, peer, priority } = wanted;
  const others = priority === null ? null : priority > APART ? priority - APART : priority + APART;
  return planHost({ ...wanted, address: peer, peer: address, priority: others });
}

function wrongAddresses({ vips, address, peer }: Wanted): Planned<never> | null {
  const seen = new Set<string>();
  for (const vip of vips) {
    if (vip.address === address) {
      return fail(
        `--vip ${vip.address} is this host's own address`,
        'Choose a free address of the same network, which neither host has for itself.',
      );
    }
    if (vip.address === peer) {
      return fail(`--vip ${vip.address} is --peer too`, 'Choose a free address of the same network.');
    }
    if (seen.has(vip.address)) return fail(`--vip ${vip.address} stands twice`, 'Leave one out.');
    seen.add(vip.address);
  }
  if (address === null || peer === null) return null;
  if (address === peer) {
    return fail(`--peer ${peer} is this host's own address`, 'Write the address of the other host.');
  }
  if (familyOf(address) === familyOf(peer)) return null;
  return fail(
    `--address ${address} and --peer ${peer} are of different families`,
    `Write both as IPv${familyOf(peer)}, or both as IPv${familyOf(address)}.`,
  );
}

function wrongTransport({ transport, address, peer, priority, interfaceName }: Wanted): Planned<never> | null {
  if (transport !== 'multicast' && peer === null) {
    return fail('--peer is missing', 'Write the address of the other host, or --multicast.');
  }
  if (transport !== 'multicast' && address === null) {
    return fail(
      `--address is missing: ${interfaceName} has none here but --vip and --peer`,
      "See with `ip address` whether the interface is right and --peer is the other host, or write this host's own address.",
    );
  }
  if (priority === null && (peer === null || address === null)) {
    return fail(
      '--priority is missing',
      `Write --priority ${HIGHER} on one host and --priority ${LOWER} on the other; with --address and --peer it is found by itself.`,
    );
  }
  return null;
}

function noneOfFamily(family: Family): Planned<never> {
  const other = family === 4 ? 6 : 4;
  return fail(
    `no --vip is IPv${family}, as --peer is, and keepalived wants one of the family that it speaks in`,
    `Write --peer and --address as IPv${other}, or add a --vip of IPv${family}.`,
  );
}

/** The family that adverts travel in. */
function familyFor({ vips, address, peer }: Wanted): Family {
  const known = peer ?? address;
  if (known !== null) return familyOf(known);
  return vips.some(vip => vip.family === 4) ? 4 : 6;
}

/** Routers of IPv6 must name their link-local address first (RFC 5798 section 5.2.9), should there be one. */
function linkLocalFirst(vips: readonly VirtualAddress[]): readonly VirtualAddress[] {
  const isLinkLocal = ({ address }: VirtualAddress): boolean => /^fe[89ab]/.test(address);
  return [...vips.filter(isLinkLocal), ...vips.filter(vip => !isLinkLocal(vip))];
}

/** Both hosts find it by themselves: the lower address has the higher priority. */
function priorityBetween(address: string | null, peer: string | null): number {
  return inOrder(address ?? '') < inOrder(peer ?? '') ? HIGHER : LOWER;
}

/** Something to compare that both hosts agree on. Parts of IPv4 have one to three digits. */
function inOrder(address: string): string {
  return address.replace(/\d+/g, part => part.padStart(4, '0'));
}

/** The last byte of the first address, so that several pairs on one network differ without being told. */
function routerIdOf([first]: readonly VirtualAddress[]): number {
  const last = first?.address.split(/[.:]/).at(-1) ?? '';
  const byte = first?.family === 4 ? Number(last) : Number.parseInt(last || '0', 16) % 256;
  return byte === 0 ? 255 : byte;
}
