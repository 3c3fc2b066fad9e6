/** One line of JSON for each event on standard output, in the words of the proxy's own log. */
export interface Log {
  info(event: string, message: string, fields?: LogFields): void;
  warn(event: string, message: string, fields?: LogFields): void;
  error(event: string, message: string, fields?: LogFields): void;
}

export type LogFields = Readonly<Record<string, string | number | boolean | null>>;

export function createLog(write: (line: string) => void): Log {
  const say =
    (level: string) =>
    (event: string, message: string, fields: LogFields = {}): void => {
      const line = { level, time: new Date().toISOString(), event, ...fields, msg: message };
      // What programs and other hosts have said may be in it: no control character leaves as it is.
      write(`${JSON.stringify(line).replaceAll(/[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, '?')}\n`);
    };
  return { info: say('info'), warn: say('warn'), error: say('error') };
}
