#!/usr/bin/env node
import { main } from './program.ts';

// A reader that leaves early (`limpet check … | head -1`) is no reason for a stack trace.
process.stdout.on('error', error => {
  if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error;
});

// Not exitCode: whoever pressed Ctrl-C twice must not wait for a timer that somebody has left behind.
process.exit(await main(process.argv.slice(2)));
