import type { MessagePort } from 'node:worker_threads';
import type { OperatorTable, StickEntry } from '@limpet/state';
import { ChunkSender } from './chunk_sender.ts';
import { isOurs, matches } from './entry_filter.ts';
import { entryText } from './entry_text.ts';
import { RawReader } from './raw_slice.ts';
import { withRedis } from './redis_source.ts';
import type { ExportTask, FromExport, ToExport } from './task.ts';

type Order = Extract<ToExport, readonly ['raw' | 'from', ...unknown[]]>;

/** Writes the rest of a table as text, to the port of the task, until it ends or nobody reads any more. */
export async function exportTable(task: ExportTask): Promise<null> {
  const { port, source } = task;
  const sender = new ChunkSender(port);
  const orders = new OrderQueue();
  port.on('message', (said: ToExport) => {
    if (said[0] === 'more') sender.more(said[1]);
    else orders.put(said[0] === 'rawEnd' ? null : said);
  });
  port.on('close', () => {
    sender.stop();
    orders.put(null);
  });
  const write = writer(task, sender);
  const ready = (): void => port.postMessage(['ready'] satisfies FromExport);
  if (source === null) {
    ready();
    await writeSlices(orders, write, port);
  } else {
    await withRedis(source, async table => {
      ready();
      const order = await orders.take();
      if (order?.[0] === 'from') await writeRedis(table, order[1], key => isOurs(key, task.filter), write);
    });
  }
  await sender.ship();
  port.postMessage(['end'] satisfies FromExport);
  port.close();
  return null;
}

/** Writes some entries; false: nobody reads any more. */
type Write = (entries: readonly StickEntry[]) => Promise<boolean>;

function writer({ format, filter, servers, expireMs }: ExportTask, sender: ChunkSender): Write {
  const text = entryText(format, { servers, expireMs });
  return async entries => {
    for (const entry of entries) {
      if (!matches(entry, entry.ttlMs, filter)) continue;
      const line = text(entry);
      while (!sender.isStopped && !sender.add(line)) await sender.ship();
    }
    return !sender.isStopped;
  };
}

async function writeSlices(orders: OrderQueue, write: Write, port: MessagePort): Promise<void> {
  const reader = new RawReader();
  for (;;) {
    const slice = await orders.take();
    if (slice?.[0] !== 'raw') return;
    const [, buffer, bytes, names] = slice;
    const entries = reader.read(buffer, bytes, names);
    port.postMessage(['spare', buffer] satisfies FromExport, [buffer]);
    if (!(await write(entries))) return;
  }
}

/** The next slice is asked for while this one is written. */
async function writeRedis(
  table: OperatorTable,
  cursor: string | null,
  isWanted: (key: string) => boolean,
  write: Write,
): Promise<void> {
  let slice = await table.slice(cursor, isWanted);
  for (;;) {
    const next = slice.next === null ? null : table.slice(slice.next, isWanted);
    // It is awaited below, unless nobody reads any more.
    next?.catch(() => {});
    if (!(await write(slice.entries)) || next === null) return;
    slice = await next;
  }
}

/** What the primary said, in its order; null ends it. */
class OrderQueue {
  readonly #orders: (Order | null)[] = [];
  #wake: (() => void) | null = null;

  put(order: Order | null): void {
    this.#orders.push(order);
    this.#wake?.();
  }

  async take(): Promise<Order | null> {
    while (this.#orders.length === 0) {
      await new Promise<void>(resolve => {
        this.#wake = resolve;
      });
    }
    return this.#orders.shift() ?? null;
  }
}
