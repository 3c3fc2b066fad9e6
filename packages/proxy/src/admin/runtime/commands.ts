import type { Command } from './command.ts';
import { infoCommands } from './info_commands.ts';
import { limitCommands } from './limit_commands.ts';
import { ownCommands } from './own_commands.ts';
import { peersCommand } from './peers_command.ts';
import { serverCommands } from './server_commands.ts';
import { serverListCommands } from './server_lists.ts';
import { sessCommands } from './sess_commands.ts';
import { sessionCommands } from './session_commands.ts';
import { tableCommands } from './table_commands.ts';
import { taskCommands } from './task_commands.ts';

/** Every command, in the order in which `help` lists them: by their words, and those of the connection last. */
export const COMMANDS: readonly Command[] = [
  ...[
    ...infoCommands,
    peersCommand,
    ...serverListCommands,
    ...serverCommands,
    ...limitCommands,
    ...tableCommands,
    ...sessCommands,
    ...taskCommands,
    ...ownCommands,
  ].sort((a, b) => (a.words < b.words ? -1 : 1)),
  ...sessionCommands(() => COMMANDS),
];
