/** Harmless commands that say whether a stranger is served. */
export const strangerCommands = ['PING', 'INFO server', 'HELLO 3', 'ACL WHOAMI'] as const;
