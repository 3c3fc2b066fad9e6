import { z } from 'zod';
import { oneOrMore } from './list.ts';
import { keyDoc, type Meaning, scalar, type Written } from './values.ts';

/** The highest CPU that a kernel may have (CONFIG_NR_CPUS). */
const MAX_CPU = 8191;
const LISTS = 'Write auto, or a list for each worker: [[0], [1]].';

const cpu: z.ZodType<number> = scalar('number of a CPU', 'A CPU, as `lscpu` counts them.', (input: Written) => {
  const number = /^\d{1,4}$/.test(String(input)) ? Number(input) : -1;
  if (number >= 0 && number <= MAX_CPU) return { ok: true, value: number };
  return { ok: false, message: '{value} is no number of a CPU', remedy: 'Write one that `lscpu` shows, from 0 on.' };
});

const auto: z.ZodType<'auto'> = scalar('`auto`', 'One CPU for each worker.', (input: Written) =>
  input === 'auto'
    ? { ok: true, value: 'auto' }
    : { ok: false, message: '{value} is neither auto nor a list', remedy: LISTS },
);

/** `auto`, or the CPUs of each worker in turn. */
export function cpuMap(meaning: Meaning): z.ZodType<'auto' | readonly (readonly number[])[]> {
  const workers = z.array(oneOrMore(cpu, 'a CPU, or a list of them', 'The CPUs of one worker.')).min(1);
  return z.union([auto, workers]).meta(keyDoc('`auto`, or a list of CPUs for each worker', meaning));
}
