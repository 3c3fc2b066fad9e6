import { counted } from '../../output/numbers.ts';
import { type Finding, findings } from '../finding.ts';

export interface BrokerAnswer {
  /** `emqx/emqx1`, and where that is: `10.0.0.1:1883`. */
  readonly name: string;
  readonly place: string;
  /** Null: connected. Else why not: `ECONNREFUSED`, `timeout`. */
  readonly trouble: string | null;
  readonly ms: number;
}

const { ok, warning, problem } = findings('brokers');

/** Whether each could be connected to, once. What they speak is the business of health checks. */
export function judgeBrokers(answers: readonly BrokerAnswer[]): Finding[] {
  if (answers.length === 0) return [];
  const away = answers.filter(({ trouble }) => trouble !== null);
  if (away.length === 0) {
    const slowest = Math.max(...answers.map(({ ms }) => ms));
    return [ok(`${counted(answers.length, 'broker')} can be connected to, the slowest in ${slowest.toFixed(1)} ms`)];
  }
  const lost = lostBackends(answers);
  return away.map(({ name, place, trouble }) => {
    const what = `${name} (${place}) cannot be connected to: ${WORDS[trouble ?? ''] ?? trouble}`;
    const remedy = REMEDIES[trouble ?? ''] ?? `see from this host: nc -vz ${place.replace(/:(\d+)$/, ' $1')}`;
    return lost.has(backendOf(name)) ? problem(`${what}; no broker of its backend can`, remedy) : warning(what, remedy);
  });
}

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens there',
  timeout: 'no answer within 2 s',
  ENOTFOUND: 'the name does not resolve',
  EAI_AGAIN: 'no name server answers',
  EHOSTUNREACH: 'there is no way to that host',
  ENETUNREACH: 'there is no way to that network',
};

const REMEDIES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'start the broker, or correct its address under servers',
  ENOTFOUND: 'correct the name under servers, or write the address',
  EAI_AGAIN: 'see /etc/resolv.conf, or write addresses under servers',
};

function backendOf(name: string): string {
  return name.slice(0, name.lastIndexOf('/'));
}

function lostBackends(answers: readonly BrokerAnswer[]): ReadonlySet<string> {
  const all = new Set(answers.map(({ name }) => backendOf(name)));
  for (const { name, trouble } of answers) if (trouble === null) all.delete(backendOf(name));
  return all;
}
