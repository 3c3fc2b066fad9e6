/** Hides user name, password and query of a URL. What cannot be read as a URL loses everything before its last `@`. */
export function maskUrl(url: string): string {
  const at = url.lastIndexOf('@');
  const scheme = /^[a-z]+:(?:\/\/)?/.exec(url)?.[0] ?? '';
  const rest = at < 0 ? url.slice(scheme.length) : `***@${url.slice(at + 1)}`;
  return `${scheme}${rest}`.replace(/[?#].*$/s, '?***');
}

/**
 * Whether a key is a piece of a hash: one without quotes is cut at its commas inside of braces, and YAML takes the pieces
 * for keys.
 */
export function isPieceOfHash(path: readonly PropertyKey[]): boolean {
  const key = path.at(-1);
  return path.slice(0, 3).join('.') === 'global.stats.users' && typeof key === 'string' && /[$=]/.test(key);
}

/** Whether the value at this path must not be shown as it is. */
export function isSecret(path: readonly PropertyKey[]): boolean {
  const key = path.at(-1);
  // `global.stats.users.NAME`: a hash of a password, or what was taken for one.
  return (
    key === 'password' ||
    key === 'sentinel_password' ||
    key === 'ticket_secret' ||
    path.slice(0, -1).join('.') === 'global.stats.users'
  );
}
