/** Hides user name, password and query of a URL. What cannot be read as a URL loses everything before its last `@`. */
export function maskUrl(url: string): string {
  const at = url.lastIndexOf('@');
  const scheme = /^[a-z]+:(?:\/\/)?/.exec(url)?.[0] ?? '';
  const rest = at < 0 ? url.slice(scheme.length) : `***@${url.slice(at + 1)}`;
  return `${scheme}${rest}`.replace(/[?#].*$/s, '?***');
}

/** Whether the value at this path must not be shown as it is. */
export function isSecret(path: readonly PropertyKey[]): boolean {
  const key = path.at(-1);
  return key === 'password' || key === 'ticket_secret';
}
