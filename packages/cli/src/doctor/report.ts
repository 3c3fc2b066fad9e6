import stringWidth from 'string-width';
import { counted } from '../output/numbers.ts';
import type { Paint, Tone } from '../output/paint.ts';
import { shown } from '../output/print.ts';
import type { Diagnosis } from './diagnosis.ts';
import { type Finding, type Level, SYSCTL } from './finding.ts';

const TONES: Readonly<Record<Level, Tone>> = { ok: 'good', note: 'plain', warning: 'warn', problem: 'bad' };
const LEVELS: readonly Level[] = ['problem', 'warning', 'note', 'ok'];

/** As many as there are of each level. */
export function tally(findings: readonly Finding[]): Readonly<Record<Level, number>> {
  const count = (level: Level): number => findings.filter(one => one.level === level).length;
  return { problem: count('problem'), warning: count('warning'), note: count('note'), ok: count('ok') };
}

/** What `limpet doctor` prints: a line a finding, in the order in which it was looked, with its remedies below. */
export function reportLines({ findings, configPath, proxy }: Diagnosis, width: number, paint: Paint): string[] {
  const about = [configPath ?? 'no configuration', proxy === null ? 'no running proxy' : `proxy ${proxy}`];
  return [
    `${paint('strong', 'limpet doctor')}: ${shown(about.join(', '))}`,
    '',
    ...findings.flatMap(one => findingLines(one, findings, width, paint)),
    '',
    ...keptLines(findings),
    summary(findings, paint),
  ];
}

function findingLines(
  { level, check, what, remedies }: Finding,
  all: readonly Finding[],
  width: number,
  paint: Paint,
): string[] {
  const names = Math.max(...all.map(one => one.check.length));
  const head = `${paint(TONES[level], level.padEnd(7))}  ${check.padEnd(names)}  `;
  const indent = ' '.repeat(7 + 2 + names + 2);
  const room = width - indent.length;
  const [first = '', ...rest] = wrapped(shown(what), room);
  // A remedy is one line, however long: it is there to be copied.
  const told = remedies.map(remedy => `${indent}${paint('strong', '→')} ${shown(remedy)}`);
  return [`${head}${first}`, ...rest.map(line => indent + line), ...told];
}

/** What sysctl sets is forgotten at the next start of the host. */
function keptLines(findings: readonly Finding[]): string[] {
  if (!findings.some(({ remedies }) => remedies.some(remedy => remedy.startsWith(SYSCTL)))) return [];
  return ['To keep what sysctl -w sets: NAME=VALUE, a line each, in /etc/sysctl.d/60-limpet.conf.'];
}

function summary(findings: readonly Finding[], paint: Paint): string {
  const counts = tally(findings);
  const parts = LEVELS.filter(level => counts[level] > 0).map(level =>
    paint(TONES[level], level === 'ok' ? `${counts.ok} ok` : counted(counts[level], level)),
  );
  return parts.join(', ');
}

/** Lines of words, none wider than the room where a word is not. */
export function wrapped(text: string, room: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && room > 20 && stringWidth(longer) > room) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return [...lines, line];
}
