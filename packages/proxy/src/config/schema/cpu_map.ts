import { z } from 'zod';
import { keyDoc, scalar } from './values.ts';

/** The highest CPU that a kernel may have (CONFIG_NR_CPUS). */
const MAX_CPU = 8191;

const one = z.union([cpu('A CPU.').transform(number => [number]), z.array(cpu('A CPU.')).min(1)]);

/** `auto`, or the CPUs of each worker in turn. */
export const cpuMapSchema: z.ZodType<'auto' | readonly (readonly number[])[]> = z
  .union([z.literal('auto'), z.array(one).min(1)])
  .meta(
    keyDoc('`auto`, or a list of CPUs or of lists', {
      meaning:
        'Pins each worker, with its relay, to CPUs: `[[0], [1]]` the first worker to CPU 0 and the second to CPU 1, and so on in turn. `auto`: one CPU each. Needs the native addon.',
      standard: 'as the system likes',
    }),
  );

function cpu(meaning: string): z.ZodType<number> {
  return scalar('CPU number', meaning, input => {
    const number = /^\d{1,4}$/.test(String(input)) ? Number(input) : -1;
    if (number >= 0 && number <= MAX_CPU) return { ok: true, value: number };
    return {
      ok: false,
      message: '{value} is no number of a CPU',
      remedy: 'Write a number that `lscpu` shows, from 0.',
    };
  });
}
