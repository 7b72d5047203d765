/** Fields of a line of CLIENT LIST by name, as the server wrote them. */
export type ClientFields = Readonly<Record<string, string | undefined>>;

/** What CLIENT LIST returned, a record for each connection. */
export function clientList(reply: unknown): ClientFields[] {
  return String(reply)
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map(clientFields);
}

/** One line of it; ACL LOG describes a client in the same form. A value may hold `=`. */
export function clientFields(line: string): ClientFields {
  const pairs = line.trim().split(' ');
  return Object.fromEntries(pairs.map((pair) => pair.split(/=(.*)/s, 2) as [string, string]));
}
