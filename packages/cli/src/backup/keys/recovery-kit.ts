import { renderSVG } from 'uqr';
import { wordsOf } from './identity-words.js';

export interface RecoveryKit {
  readonly source: string;
  readonly store: string;
  readonly identity: string;
  readonly recipient: string;
  /** Public keys of the hosts that write the backup. */
  readonly writers: readonly string[];
  readonly made: string;
}

/** A page to print and lock away: everything that is needed when all hosts are lost, the data itself left out. */
export function renderRecoveryKit(kit: RecoveryKit): string {
  const words = wordsOf(kit.identity);
  const rows = words.map((word, index) => `<li value="${index + 1}">${word}</li>`).join('');
  const trust = kit.writers.map((key) => `--trust ${key}`).join(' ');
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Recovery kit: ${escapeHtml(kit.source)}</title>
<style>
body { font: 11pt/1.5 sans-serif; max-width: 18cm; margin: 1.5cm auto; color: #111 }
code, pre, ol { font-family: monospace } pre { white-space: pre-wrap; overflow-wrap: anywhere; background: #f4f4f4; padding: .4cm }
ol.words { columns: 4; padding-left: 1cm } svg { width: 6cm; height: 6cm } .secret { border: 2px solid #a00; padding: .4cm }
@media print { body { margin: 0 } }
</style></head><body>
<h1>Recovery kit: ${escapeHtml(kit.source)}</h1>
<p>Made ${escapeHtml(kit.made)}. Anyone who has this page and the store can read every backup. Print it, lock it away, delete the file.</p>
<h2>1. The backups are here</h2><pre>${escapeHtml(kit.store)}</pre>
<h2>2. The key that opens them</h2>
<div class="secret">${renderSVG(kit.identity, { ecc: 'M' })}
<pre>${escapeHtml(kit.identity)}</pre>
<p>The same key as 24 words:</p><ol class="words">${rows}</ol></div>
<p>Its public half: <code>${escapeHtml(kit.recipient)}</code></p>
<h2>3. The hosts that wrote them</h2><pre>${kit.writers.map(escapeHtml).join('\n') || 'none yet'}</pre>
<h2>4. Restore</h2>
<p>On a machine with Node.js and Redis or Valkey of the version that wrote the backup (<code>redkeep backup list</code> names it):</p>
<pre>npm install --global @redkeep/cli
redkeep backup key from-words recovered.key        # type the 24 words
redkeep backup list --store ${escapeHtml(kit.store)} --source ${escapeHtml(kit.source)} ${escapeHtml(trust)}
redkeep restore --store ${escapeHtml(kit.store)} --source ${escapeHtml(kit.source)} ${escapeHtml(trust)} \\
  --identity recovered.key --out restored
redis-server --dir "$PWD/restored" --appendonly yes</pre>
<p>Without Redkeep: <code>age -d -i recovered.key</code>, <code>gunzip</code> and <code>redis-server</code>; docs/backup.md, “Restore without
Redkeep”.</p>
</body></html>
`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
