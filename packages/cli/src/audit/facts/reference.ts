/** A value that is not in the files: a variable, a command substitution, a template's expression. */
export function isReference(text: string): boolean {
  return /\$[{(A-Za-z_]|\{\{|`[^`]+`|^<[^>]+>$/.test(text);
}

/** The text of a value that comes from outside of the files. */
export function referenceTo(name: string): string {
  return `\${${name}}`;
}
