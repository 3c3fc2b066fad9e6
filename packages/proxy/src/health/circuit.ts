/**
 * The circuit of a server: whether new clients should try others first. It is quicker than the verdict and weaker: a
 * suspect server is still used where no other is left.
 *
 * One failed dial or one missed CONNACK opens it. It closes when a client is accepted, or when a check passes that
 * tests what had failed. Without either it half-opens after a while: clients try the server again, and the next failure
 * opens it for twice as long. Only an accepted client brings that time back to its start, for a check does not prove
 * that clients are served.
 */
export interface Circuit {
  readonly phase: 'closed' | 'open' | 'half_open';
  /** What failed since it was closed. */
  readonly causes: readonly CircuitCause[];
  /** How long it stays open now, or would at its next opening. */
  readonly waitMs: number;
}

/** `dial`: no connection within its deadline. `connack_timeout`: a connection, but no CONNACK within its deadline. */
export type CircuitCause = 'dial' | 'connack_timeout';

export type CircuitEvent =
  | { readonly kind: 'failed'; readonly cause: CircuitCause }
  /** A check passed that shows these causes to be gone. */
  | { readonly kind: 'check_passed'; readonly clears: readonly CircuitCause[] }
  /** The time of `waitMs` is over. */
  | { readonly kind: 'waited' }
  /** The server accepted a client. */
  | { readonly kind: 'accepted' };

const FIRST_WAIT_MS = 5_000;
const LONGEST_WAIT_MS = 60_000;

export const CLOSED: Circuit = { phase: 'closed', causes: [], waitMs: FIRST_WAIT_MS };

export function isSuspect(circuit: Circuit): boolean {
  return circuit.phase === 'open';
}

/** The circuit after one event; the same value where the event changes nothing. */
export function stepCircuit(circuit: Circuit, event: CircuitEvent): Circuit {
  switch (event.kind) {
    case 'failed':
      return failed(circuit, event.cause);
    case 'check_passed':
      return cleared(circuit, event.clears);
    case 'waited':
      return circuit.phase === 'open' ? { ...circuit, phase: 'half_open', waitMs: doubled(circuit.waitMs) } : circuit;
    case 'accepted':
      return circuit.phase === 'closed' && circuit.waitMs === FIRST_WAIT_MS ? circuit : CLOSED;
  }
}

/** An open circuit is not prolonged: what fails now was dialled before, or as the last resort. */
function failed(circuit: Circuit, cause: CircuitCause): Circuit {
  const known = circuit.causes.includes(cause);
  if (circuit.phase === 'open' && known) return circuit;
  return { ...circuit, phase: 'open', causes: known ? circuit.causes : [...circuit.causes, cause] };
}

function cleared(circuit: Circuit, clears: readonly CircuitCause[]): Circuit {
  const causes = circuit.causes.filter(cause => !clears.includes(cause));
  if (causes.length === circuit.causes.length) return circuit;
  if (causes.length > 0) return { ...circuit, causes };
  // Cleared before its time was over: the next opening is the longer one all the same, until a client is accepted.
  const waitMs = circuit.phase === 'open' ? doubled(circuit.waitMs) : circuit.waitMs;
  return { phase: 'closed', causes, waitMs };
}

function doubled(waitMs: number): number {
  return Math.min(waitMs * 2, LONGEST_WAIT_MS);
}
