import { expect, test } from 'vitest';
import { localPorts, portsOfWorker } from '../../../src/dial/local_ports.ts';

const span = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

test.each([
  ['the last tenth is the kernel’s', '40000\t40059\n', '\n', span(40_000, 40_053)],
  ['and never less than one', '40000 40004', '', span(40_000, 40_003)],
  ['ports that are reserved are nobody’s', '40000 40009', '40001,40004-40007\n', [40_000, 40_002, 40_003, 40_008]],
  ['one port, or what is no range, reserves nothing else', '40000 40009', 'x,9,,7-3', span(40_000, 40_008)],
])('%s', (_, range, reserved, ports) => {
  expect(localPorts(range, reserved)).toEqual(ports);
});

test.each(['', 'nonsense', '60999 32768', '1 2 3', '0 70000'])(
  '%j is no range: Linux’s standard, less 1,024',
  range => {
    const ports = localPorts(range, '');
    expect([ports[0], ports.at(-1), ports.length]).toEqual([32_768, 60_999 - 1_024, 28_232 - 1_024]);
  },
);

test.each([1, 2, 3, 7])('%i workers have all ports, each its own', workers => {
  const ports = span(40_000, 40_053);
  const parts = span(0, workers - 1).map(slot => portsOfWorker(ports, slot, workers));
  expect(parts.flatMap(({ own }) => own).sort()).toEqual(ports);
  for (const { own, others } of parts) expect([...own, ...others].sort()).toEqual(ports);
  const sizes = parts.map(({ own }) => own.length);
  expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
});

test('a worker that drains after a reload with fewer workers still has a part', () => {
  expect(portsOfWorker(span(1, 4), 3, 2)).toEqual({ own: [2, 4], others: [1, 3] });
});
