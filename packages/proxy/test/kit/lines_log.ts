import type { Log, LogFields } from '../../src/log.ts';
import { SILENT } from '../../src/log.ts';

/** A log that keeps what was said: level, event, and the fields and message as one text. */
export class LinesLog implements Log {
  readonly lines: string[] = [];
  readonly format = SILENT.format;
  debug(): void {}
  info(event: string, fields: LogFields = {}, message = ''): void {
    this.lines.push(`info ${event} ${JSON.stringify(fields)} ${message}`);
  }
  warn(event: string, fields: LogFields = {}, message = ''): void {
    this.lines.push(`warn ${event} ${JSON.stringify(fields)} ${message}`);
  }
  error(event: string, fields: LogFields = {}, message = ''): void {
    this.lines.push(`error ${event} ${JSON.stringify(fields)} ${message}`);
  }
  line(): void {}
  reopen(): void {}
  async flush(): Promise<void> {}
}
