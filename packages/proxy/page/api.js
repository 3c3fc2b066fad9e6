// The JSON API, below /api/v1.
import { root } from './place.js';

const deadlineMs = 10_000;

/** An answer that says no: what is wrong, and what can be done. */
class Refusal extends Error {
  /**
   * @param {number} status
   * @param {string} message
   * @param {string} remedy
   */
  constructor(status, message, remedy) {
    super(remedy === '' ? message : `${message}. ${remedy}`);
    this.status = status;
  }
}

/** Joins path segments, whatever characters they have. @param {...string} segments */
export function path(...segments) {
  return segments.map(encodeURIComponent).join('/');
}

/**
 * Asks, and answers the JSON. @throws Refusal, also where the proxy cannot be reached in time.
 * @param {'GET' | 'PUT' | 'POST' | 'DELETE'} method
 * @param {string} below behind `/api/v1/`
 * @param {unknown} [body]
 * @returns {Promise<any>}
 */
export async function call(method, below, body) {
  /** @type {Record<string, string>} */
  const headers = { Accept: 'application/json' };
  if (method !== 'GET') {
    headers['Content-Type'] = 'application/json';
    headers['X-Limpet-Request'] = '1';
  }
  const signal = AbortSignal.timeout(deadlineMs);
  const said = method === 'GET' ? null : JSON.stringify(body ?? {});
  /** @type {Response} */
  let response;
  try {
    response = await fetch(new URL(`api/v1/${below}`, root), { method, headers, signal, body: said });
  } catch {
    throw new Refusal(0, 'the proxy did not answer', '');
  }
  const answer = await response.json().catch(() => null);
  if (response.ok) return answer;
  const error = answer?.error ?? {};
  throw new Refusal(response.status, String(error.message ?? `HTTP ${response.status}`), String(error.remedy ?? ''));
}
