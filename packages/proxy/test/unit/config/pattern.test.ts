import { describe, expect, test } from 'vitest';
import { readExpression, readPattern } from '../../../src/config/pattern.ts';

describe('expressions that are taken', () => {
  test.each([
    ['^([^/]+)/', 'tenant/device', 'tenant'],
    ['^(?:dev|gw)-([0-9]+)$', 'gw-17', '17'],
    ['^([a-z]+)(?:-[0-9]{1,4})?$', 'meter-12', 'meter'],
    ['-([0-9a-f]{6})$', 'sensor-00ff17', '00ff17'],
    ['^(?<site>\\w+)\\.\\w+\\.(?:\\w+)$', 'oslo.roof.1', 'oslo'],
    ['^([^?]*)\\?', 'user?SDK=1', 'user'],
    ['^((?:[0-9a-f]{2}:){2}[0-9a-f]{2})', 'aa:bb:cc:dd', 'aa:bb:cc'],
    ['^([+*(){}|]+)', '(+)', '(+)'],
    ['^(ä+)', 'ää', 'ää'],
    ['^[^/]+/[^/]+/([^/]+)/', 'a/b/c/d', 'c'],
    ['^([^.]+)\\.(?:[^.]+)\\.[a-z]*$', 'oslo.roof.x', 'oslo'],
    ['^x([0-9]+)', 'y1', null],
    ['^(?:a(b))?', 'c', null],
  ])('%s takes from %s the key %s', (source, field, key) => {
    expect(readPattern(source)).toEqual({ ok: true, value: source });
    expect(new RegExp(source, 'u').exec(field)?.[1] ?? null).toBe(key);
  });
});

describe('expressions that are refused', () => {
  test.each([
    ['([a-z', 'is not a regular expression'],
    ['a{2,1}(b)', 'is not a regular expression'],
    ['^[a-z]+', 'has no group'],
    ['^(?:a)', 'has no group'],
    ['^\\(a\\)', 'has no group'],
    ['^((a+)+)$', 'repeats a part that varies'],
    ['^(([a-z]|[0-9])*)$', 'repeats a part that varies'],
    ['^((a?){30})$', 'repeats a part that varies'],
    ['^((?:a{1,30}){1,30})$', 'repeats a part that varies'],
    ['(a*)(b*)', 'too many parts that vary'],
    ['^(.*)-.*-.*$', 'too many parts that vary'],
    ['^([^/]+)/?[^/]+/?[^/]+', 'too many parts that vary'],
    ['^([a-z-]+)-[a-z-]+-[a-z-]+-', 'too many parts that vary'],
    ['^([^/]+)-[^/]+-[^/]+-', 'too many parts that vary'],
    ['^[a-z]+(?:-x)?[a-z]+(?:-x)?[a-z]+(?:-x)?([a-z]+)!', 'too many parts that vary'],
    ['^[a-z]+(?:-|x)[a-z]+(?:-|x)[a-z]+(?:-|x)([a-z]+)!', 'too many parts that vary'],
    ['^[a-z]+(?:(?:-x))?[a-z]+(?:-{0})[a-z]+(-)?([a-z]+)!', 'too many parts that vary'],
    ['^[a-z]*[a-z]*([a-z]+)-!', 'too many parts that vary'],
    ['^x|([a-z]*)[a-z]*!', 'too many parts that vary'],
    [`^([a-z]*)[a-z]*${'a?'.repeat(4)}!`, 'too many parts that vary'],
    [`^(${'a?'.repeat(9)})`, 'too many parts that vary'],
    ['^(a)(?=b)', 'looks around'],
    ['(?<!a)(b)', 'looks around'],
    ['^(a)\\1', 'refers back'],
    [`^(${'a'.repeat(1100)})`, 'longer than 1024'],
  ])('%s', (source, message) => {
    expect(readPattern(source)).toMatchObject({ ok: false, message: expect.stringContaining(message) });
  });
});

describe('expressions of rules', () => {
  test.each(['^plant-[0-9]+$', 'sensor', '[.]example[.]com$', '^(?:a|b)-'])('%s needs no group', source => {
    expect(readExpression(source)).toEqual({ ok: true, value: source });
  });

  test.each(['^(a+)+$', '(a*)(b*)', '^a(?=b)', '^(a)\\1', '([a-z'])('P7: %s is refused as everywhere', source => {
    expect(readExpression(source).ok).toBe(false);
  });
});

// What may be tried at all is bounded by route/stick_key.ts and route/rules.ts; an accepted expression must be quick on as much.
test.each([
  ['^(?:[a-z]+)(.*)!$', 'a'],
  ['([a-z]+)!$', 'a'],
  ['^[^/]+/[^/]+/([^/]+)/!', 'a/'],
  ['(?:a|b|c|d)([a-z]*)!', 'a'],
  ['^([a-z]+)-[a-z]+-[a-z]+-!', 'a-'],
  ['^[a-z]+(?:-x)?([a-z]+)!', 'a'],
  ['^[a-z]*([a-z]+)-!', 'a'],
  ['^[a-z]+(?:-(?:x|y))([a-z]*)!', 'a-x'],
  ['^(?:[a-z]+-)?(?:[a-z]+-)?([a-z]+)-!', 'a'],
  ['^(?:b|[a-z]+)-(?:b|[a-z]+)-([a-z]*)!', 'a-'],
  [`^([a-z]*)[a-z]*${'a?'.repeat(3)}!`, 'a'],
  [`^([a-z]*)${'a?'.repeat(8)}!`, 'a'],
])('P7: %s gives up within 100 ms on the worst field', (source, unit) => {
  expect(readPattern(source).ok).toBe(true);
  const pattern = new RegExp(source, 'u');
  const start = process.cpuUsage();
  expect(pattern.test(unit.repeat(1024 / unit.length))).toBe(false);
  expect(process.cpuUsage(start).user).toBeLessThan(100_000);
});
