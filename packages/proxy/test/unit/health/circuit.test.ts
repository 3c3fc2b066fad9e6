import { describe, expect, test } from 'vitest';
import { type Circuit, type CircuitEvent, CLOSED, stepCircuit } from '../../../src/health/circuit.ts';

const DIAL: CircuitEvent = { kind: 'failed', cause: 'dial' };
const CONNACK: CircuitEvent = { kind: 'failed', cause: 'connack_timeout' };
const MQTT_CHECK: CircuitEvent = { kind: 'check_passed', clears: ['dial', 'connack_timeout'] };
const TCP_CHECK: CircuitEvent = { kind: 'check_passed', clears: ['dial'] };
const OTHER_PORT_CHECK: CircuitEvent = { kind: 'check_passed', clears: [] };
const WAITED: CircuitEvent = { kind: 'waited' };
const ACCEPTED: CircuitEvent = { kind: 'accepted' };

function after(...events: readonly CircuitEvent[]): Circuit {
  return events.reduce(stepCircuit, CLOSED);
}

describe('phase', () => {
  test.each<[string, Circuit['phase'], readonly CircuitEvent[]]>([
    ['a failed dial opens', 'open', [DIAL]],
    ['a missed CONNACK opens', 'open', [CONNACK]],
    ['an MQTT check closes what a dial opened', 'closed', [DIAL, MQTT_CHECK]],
    ['an MQTT check closes what a CONNACK opened', 'closed', [CONNACK, MQTT_CHECK]],
    ['an MQTT check closes both at once', 'closed', [DIAL, CONNACK, MQTT_CHECK]],
    ['a TCP check closes what a dial opened', 'closed', [DIAL, TCP_CHECK]],
    ['a TCP check says nothing about CONNACKs', 'open', [CONNACK, TCP_CHECK]],
    ['a TCP check clears one of two causes', 'open', [DIAL, CONNACK, TCP_CHECK]],
    ['a check of another port closes nothing', 'open', [DIAL, OTHER_PORT_CHECK]],
    ['time half-opens', 'half_open', [DIAL, WAITED]],
    ['a failure while half open opens again', 'open', [DIAL, WAITED, DIAL]],
    ['a check closes it from half open', 'closed', [DIAL, WAITED, TCP_CHECK]],
    ['an accepted client closes it from half open', 'closed', [CONNACK, WAITED, ACCEPTED]],
    ['an accepted client closes it', 'closed', [CONNACK, ACCEPTED]],
    ['time does not open what is closed', 'closed', [WAITED]],
  ])('%s', (_title, phase, events) => {
    expect(after(...events).phase).toBe(phase);
  });
});

describe('waiting', () => {
  test('doubles from 5 s to 60 s with every opening', () => {
    const waits: number[] = [];
    let circuit = CLOSED;
    for (let opening = 0; opening < 6; opening += 1) {
      circuit = stepCircuit(circuit, CONNACK);
      waits.push(circuit.waitMs);
      circuit = stepCircuit(circuit, WAITED);
    }
    expect(waits).toEqual([5000, 10_000, 20_000, 40_000, 60_000, 60_000]);
  });

  test('is not prolonged by what fails while it is open', () => {
    const open = after(CONNACK);
    expect(stepCircuit(open, CONNACK)).toBe(open);
    expect(stepCircuit(open, DIAL)).toEqual({ phase: 'open', causes: ['connack_timeout', 'dial'], waitMs: 5000 });
  });

  test('starts at 5 s again after an accepted client, not after a check alone', () => {
    expect(after(DIAL, MQTT_CHECK, DIAL).waitMs).toBe(10_000);
    expect(after(DIAL, WAITED, MQTT_CHECK, DIAL).waitMs).toBe(10_000);
    expect(after(DIAL, MQTT_CHECK, ACCEPTED, DIAL).waitMs).toBe(5000);
  });
});

test('nothing changes where nothing failed', () => {
  for (const event of [MQTT_CHECK, WAITED, ACCEPTED]) expect(stepCircuit(CLOSED, event)).toBe(CLOSED);
});
