import type { SessionSummary } from '@redkeep/guard';

/** A whole page. */
export function page(body: string): string {
  return `<!doctype html><html lang="en"><title>Accounts</title><main>${body}</main></html>`;
}

/** Every form says which session's page it is on. */
const form = (action: string, csrf: string, body: string) =>
  `<form method="post" action="${action}"><input type="hidden" name="_csrf" value="${csrf}">${body}</form>`;

export function loginForm(csrf: string): string {
  return `${form(
    '/login',
    csrf,
    `<label>Name <input name="user"></label>
<label>Password <input name="password" type="password"></label><button id="login">Log in</button>`,
  )}${form('/link', csrf, '<label>Name <input name="user" id="link-user"></label><button id="send-link">Send me a link</button>')}`;
}

export function linkPage(token: string, csrf: string): string {
  const field = `<input type="hidden" name="token" value="${escapeHtml(token)}">`;
  return form('/link/redeem', csrf, `${field}<button id="redeem">Log in</button>`);
}

export function home(user: string, note: string, csrf: string): string {
  const button = (path: string, label: string) => form(`/${path}`, csrf, `<button id="${path}">${label}</button>`);
  return `<h1 id="hello">Hello ${escapeHtml(user)}</h1><p id="note">${escapeHtml(note)}</p>
${form('/note', csrf, '<input name="note"><button id="save">Save</button>')}
<a id="devices" href="/devices">Where I am logged in</a>
${button('logout', 'Log out')}${button('logout-everywhere', 'Log out everywhere')}
${button('export', 'Give me my data')}${button('erase', 'Erase my data')}`;
}

export function devicePage(list: readonly SessionSummary[], csrf: string): string {
  const rows = list.map(({ handle, device, current }) => {
    const field = `<input type="hidden" name="handle" value="${escapeHtml(handle)}">`;
    const end = current ? 'this device' : form('/devices/end', csrf, `${field}<button class="end">End</button>`);
    return `<li class="device">${escapeHtml(device ?? 'Unknown device')} ${end}</li>`;
  });
  return `<ul>${rows.join('')}</ul><a href="/">Back</a>`;
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
