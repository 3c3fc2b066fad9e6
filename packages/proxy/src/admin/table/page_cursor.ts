/** Where a page of a table in Redis begins: at a cursor of `OperatorTable.slice`, in its slice behind a key. */
export interface RedisPlace {
  readonly scan: string | null;
  readonly after: string | null;
}

/** A place as text that fits into a URL. Pure. */
export function redisCursor({ scan, after }: RedisPlace): string {
  return after === null ? `${scan ?? '0'}` : `${scan ?? '0'}.${Buffer.from(after, 'utf8').toString('base64url')}`;
}

/** The place that a text names; any other begins anew. Pure. */
export function redisPlace(cursor: string | null): RedisPlace {
  const [, scan, after] = /^(\d{1,20}|\d{1,5}-[0-9a-f]{4}-\d{1,20})(?:\.([\w-]{1,1000}))?$/.exec(cursor ?? '') ?? [];
  return {
    scan: scan ?? null,
    after: after === undefined ? null : Buffer.from(after, 'base64url').toString('utf8'),
  };
}
