import type { z } from 'zod';
import { LimpetError } from '../../errors.ts';

/** Of JSON; streams have limits of their own. */
export const MAX_JSON_BYTES = 1_048_576;
/** Of a name that is not known. */
const LONGEST_SHOWN = 100;

/**
 * The whole body as JSON; an empty one is an empty object.
 * @throws LimpetError TOO_LARGE, BAD_JSON
 */
export async function readJson(body: AsyncIterable<Buffer>): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > MAX_JSON_BYTES) throw tooLarge(MAX_JSON_BYTES);
    chunks.push(chunk);
  }
  if (bytes === 0) return {};
  try {
    // Invalid UTF-8 would become another text than was sent.
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks)));
  } catch {
    throw new LimpetError('BAD_JSON', 'the body is no JSON', 'Send one JSON object in UTF-8.');
  }
}

export function tooLarge(limit: number): LimpetError {
  return new LimpetError('TOO_LARGE', `the body is larger than ${limit} bytes`, 'Send less at once.');
}

/**
 * What came, as the schema says it. `where` is `body` or `query`.
 * @throws LimpetError BAD_VALUE that names every field that is wrong, and what would be right
 */
export function checked<T>(schema: z.ZodType<T>, said: unknown, where: string): T {
  const result = schema.safeParse(said);
  if (result.success) return result.data;
  const problems = result.error.issues.map(issue => {
    const place = [where, ...issue.path.map(String)].join('.');
    return `${place}: ${wordsOf(issue)}`;
  });
  const remedy = 'GET /api/v1/openapi.json describes every field.';
  throw new LimpetError('BAD_VALUE', problems.join('; '), remedy);
}

/** What is wrong with a value, in our words. What was sent is not repeated: it may be a secret in the wrong place. */
function wordsOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_value':
      return `must be ${issue.values.length > 1 ? 'one of ' : ''}${issue.values.map(String).join(', ')}`;
    case 'invalid_type':
      return `must be ${issue.expected === 'int' ? 'a whole number' : `of type ${issue.expected}`}`;
    case 'unrecognized_keys':
      return `there is no ${issue.keys.map(key => JSON.stringify(key.slice(0, LONGEST_SHOWN))).join(', ')} here`;
    case 'too_small':
      return issue.origin === 'string'
        ? 'must not be empty'
        : `must be ${issue.inclusive ? 'at least' : 'above'} ${issue.minimum}`;
    case 'too_big':
      return `must be ${issue.origin === 'string' ? 'no longer than' : 'at most'} ${issue.maximum}`;
    default:
      return 'is not as it must be';
  }
}

/** `?a=1&b=2` as an object. @throws LimpetError BAD_VALUE where a name comes twice */
export function queryObject(query: URLSearchParams): Readonly<Record<string, string>> {
  const names = new Set<string>();
  // A Set: thousands of names must not be compared with each other.
  const twice = [...query.keys()].find(name => names.size === names.add(name).size);
  if (twice === undefined) return Object.fromEntries(query);
  throw new LimpetError('BAD_VALUE', `query: ${JSON.stringify(twice)} is there twice`, 'Give each filter once.');
}
