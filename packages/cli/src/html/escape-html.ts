/** Text for HTML content and attributes. Everything that comes from a server or a file passes through here. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
